import type { Plan } from '@he-ml/pipeline'
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
    `  input ${bytes(report.ciphertexts.inputBytes)}, result ${bytes(report.ciphertexts.outputBytes)}; peak memory about ${bytes(report.memory.peakBytes)}`,
    `  about ${report.seconds.toFixed(2)} s a run and ${report.encodeSeconds.toFixed(2)} s to encode the weights (${report.threads} thread${report.threads === 1 ? '' : 's'}, ${report.costModel} cost model)`,
    `  expected error 2^-${report.precisionBits.toFixed(1)}; ${failureText(report)}`,
    '',
    ...table(
      ['layer', 'kind', 'level', 'to', 'ciphertexts', 'rotations', 'products', 'seconds', 'bits'],
      report.layers.map((l) => [
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
