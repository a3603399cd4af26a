import type { Plan } from '@he-ml/pipeline'
import { peakOf } from '../machine-memory.ts'
import { failureText } from './failure-text.ts'
import { bytes, table } from './output.ts'

/** The plan as a person wants to read it. */
export function planText(plan: Plan): string[] {
  const { report } = plan
  const images = plan.batch === 1 ? 'one image' : `${plan.batch} images`
  return [
    `plan ${plan.id.slice(0, 16)} for ${plan.model.name}: ${images} per run, ${plan.packing} packing`,
    `  ring 2^${report.logN}, log2(QP) = ${report.logQP.toFixed(1)}, ${report.securityMarginBits.toFixed(1)} bits below the 128-bit limit`,
    `  ${report.depth} levels; ${report.rotations} rotations, ${report.products} products, ${report.plaintextProducts} plaintext products`,
    `  ${report.keys.count} evaluation keys: ${bytes(report.keys.bytes)} in memory, ${bytes(report.keys.fileBytes)} to send`,
    `  input ${bytes(report.ciphertexts.inputBytes)}, result ${bytes(report.ciphertexts.outputBytes)}; peak memory about ${bytes(peakOf(plan))}`,
    `  about ${report.seconds.toFixed(2)} s a run and ${report.encodeSeconds.toFixed(2)} s to encode the weights (${report.threads} thread${report.threads === 1 ? '' : 's'}, ${report.costModel} cost model)`,
    `  expected error 2^-${report.precisionBits.toFixed(1)}${relative(report.outputPrecisionBits)}; ${failureText(report)}`,
    '',
    ...table(
      ['layer', 'kind', 'level', 'to', 'ciphertexts', 'rotations', 'products', 'seconds', 'bits'],
      rowsOf(report.layers).map((l) => [
        l.name,
        l.kind,
        l.level,
        l.outputLevel,
        l.ciphertexts,
        l.rotations,
        l.products,
        Number(l.seconds.toFixed(3)),
        Number(l.precisionBits.toFixed(1)),
      ]),
    ),
  ]
}

/** One row for all tiles of a layer: their sums, and the least bits. */
export function rowsOf(layers: Plan['report']['layers']): Plan['report']['layers'] {
  const rows = new Map<string, (typeof layers)[number]>()
  for (const { tile, of, ...layer } of layers) {
    const name = of ?? layer.name
    const before = rows.get(name)
    rows.set(name, before ? together(before, layer) : { ...layer, name })
  }
  return [...rows.values()]
}

type Row = Plan['report']['layers'][number]

const together = (a: Row, b: Row): Row => ({
  ...a,
  ciphertexts: a.ciphertexts + b.ciphertexts,
  rotations: a.rotations + b.rotations,
  products: a.products + b.products,
  plaintextProducts: a.plaintextProducts + b.plaintextProducts,
  seconds: a.seconds + b.seconds,
  precisionBits: Math.min(a.precisionBits, b.precisionBits),
})

/** The error against the range of each output, as bits from the worst to the best. */
function relative(bits: readonly number[] | undefined): string {
  if (!bits || bits.length === 0) return ''
  const [worst, best] = [bits.reduce((a, b) => Math.min(a, b)), bits.reduce((a, b) => Math.max(a, b))].map((b) =>
    b.toFixed(1),
  )
  return `, ${worst === best ? worst : `${worst} to ${best}`} bits of each output's range`
}
