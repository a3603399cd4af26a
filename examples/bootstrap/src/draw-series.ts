/**
 * Draws a chain that the bootstrap benchmark wrote with --series: draw-series SERIES.json PICTURE.svg. The precision after
 * every bootstrap of one ciphertext, beside what it would be if errors simply added up.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { drawPrecision } from './plot.ts'

/** What the benchmark writes; only what is drawn. */
interface Series {
  readonly set: string
  readonly slots: number
  readonly rounds: number
  readonly chain: readonly { readonly mean: number; readonly max: number }[]
}

const [from, to] = process.argv.slice(2)
if (from === undefined || to === undefined) {
  console.error('usage: draw-series SERIES.json PICTURE.svg')
  process.exit(2)
}
const { set, slots, rounds, chain } = JSON.parse(await readFile(from, 'utf8')) as Series
const after = chain.map(({ mean, max }, i) => ({
  bootstraps: i + 1,
  meanBits: -Math.log2(mean),
  worstBits: -Math.log2(max),
}))
const subtitle = [`${set}, ${slots} complex slots; all levels used up by products between two bootstraps`]
await writeFile(to, await drawPrecision(`One ciphertext through ${rounds} bootstraps`, subtitle, after))
