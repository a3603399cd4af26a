// The measurements and pictures of docs/notes/gradient-windows.md and docs/notes/spiking-neurons.md.
//   node scripts/run.mjs packages/snn-neurons/scripts/gradient-windows.mjs [--draw]
// prints the tables; with --draw it only writes the SVG files beside the notes.
import { writeFileSync } from 'node:fs'
import { drawTraces, drawWindows } from './draw.mjs'
import { HAND, measureAll } from './measure-windows.mjs'

const notes = new URL('../../../docs/notes/', import.meta.url)
if (process.argv.includes('--draw')) {
  writeFileSync(new URL('gradient-windows.svg', notes), await drawWindows())
  writeFileSync(new URL('spiking-neurons.svg', notes), await drawTraces())
} else {
  const rows = measureAll()
  const header = (first) =>
    `| ${first} | ${HAND.map((w) => `${w}`).join(' | ')} | derived |\n|---|${'---|'.repeat(HAND.length + 1)}`
  const table = (title, cell) => {
    console.log(`\n${header(title)}`)
    for (const row of rows) console.log(`| ${row.name} | ${row.windows.all.map((_, k) => cell(row, k)).join(' | ')} |`)
  }
  console.log(
    '| neuron | mean | deviation | firing | half-width | height | expected mismatch |\n|---|---|---|---|---|---|---|',
  )
  for (const { name, windows } of rows) {
    const { membrane, surrogate, mismatch } = windows.derived
    const numbers = [
      membrane.mean,
      membrane.deviation,
      membrane.firingProbability,
      surrogate.width,
      surrogate.height,
      mismatch,
    ]
    console.log(`| ${name} | ${numbers.map((v) => v.toFixed(3)).join(' | ')} |`)
  }
  table(
    'mismatch, batches of 256',
    ({ mismatch }, k) => `${mismatch[k].mean.toFixed(3)} ± ${mismatch[k].error.toFixed(3)}`,
  )
  table('bias', ({ gradient }, k) => gradient[k].bias.toFixed(3))
  table('error, batch of 64', ({ gradient }, k) => gradient[k].batch.toFixed(3))
  table('cosine', ({ gradient }, k) => gradient[k].cosine.toFixed(4))
}
