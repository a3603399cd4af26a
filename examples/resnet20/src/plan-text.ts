import type { Plan } from '@he-ml/pipeline'

/** What a plan costs and promises, a line each. @param memory bytes that the server may hold */
export function planText({ batch, packing, report }: Plan, memory: number): string[] {
  const { keys, ciphertexts, layers, outputPrecisionBits: bits = [] } = report
  const bootstraps = layers.reduce((sum, { refresh }) => sum + (refresh?.bootstraps ?? 0), 0)
  const peak = report.memory.leanPeakBytes
  return [
    `${batch === 1 ? 'one image' : `${batch} images`} per run, ${packing} packing`,
    `ring 2^${report.logN}, ${report.depth} levels, ${bootstraps} bootstraps; ${report.securityMarginBits.toFixed(0)} bits of modulus below the 128-bit limit`,
    `${report.rotations} rotations, ${report.products} products, ${report.plaintextProducts} products with weights`,
    `${keys.count} evaluation keys: ${gigabytes(keys.bytes)}, ${gigabytes(keys.fileBytes)} to send`,
    `input ${gigabytes(ciphertexts.inputBytes)}, result ${gigabytes(ciphertexts.outputBytes)}, memory about ${gigabytes(peak)}`,
    `about ${duration(report.seconds)} a run, ${duration(report.seconds / batch)} an image, and ${duration(report.encodeSeconds)} to encode weights (${report.costModel} cost model, ${report.threads} thread${report.threads === 1 ? '' : 's'})`,
    `logits right to ${bits.length > 0 ? `${Math.min(...bits).toFixed(1)} bits of their range` : `2^-${report.precisionBits.toFixed(1)}`}`,
    ...(bootstraps > 0 ? [failures(report.failureProbability)] : []),
    ...(peak > memory
      ? [`note: more than the ${gigabytes(memory)} that it may hold: keys will come and go, if that is enough`]
      : []),
  ]
}

const failures = (probability: number): string =>
  `${probability === 0 ? 'no bootstrap can fail' : `a probability below ${probability.toPrecision(2)} that any bootstrap fails`} while values stay in range`

export const gigabytes = (bytes: number): string => {
  const value = bytes / 1e9
  return value < 0.1 ? `${(1000 * value).toFixed(1)} MB` : `${value.toFixed(value < 10 ? 2 : 1)} GB`
}

export const duration = (seconds: number): string => {
  if (seconds < 1) return `${(1000 * seconds).toFixed(1)} ms`
  return seconds < 100 ? `${seconds.toFixed(2)} s` : `${(seconds / 60).toFixed(1)} min`
}
