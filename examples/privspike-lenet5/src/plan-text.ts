import { duration, gigabytes } from '@he-ml/example-resnet20/plan-text'
import type { Plan } from '@he-ml/pipeline'

/** What a plan costs and promises, a line each. @param memory bytes that the server may hold */
export function planText({ batch, packing, functional, report }: Plan, memory: number): string[] {
  const { keys, ciphertexts, layers, outputPrecisionBits: bits = [] } = report
  const neurons = layers.filter(({ kind }) => kind === 'spiking').length
  const bootstraps = layers.reduce((sum, { refresh }) => sum + (refresh?.bootstraps ?? 0), 0)
  const refreshes = functional
    ? `${neurons} refreshes, in which neurons decide`
    : `${neurons} steps of neurons by polynomials, ${bootstraps} bootstraps`
  const peak = report.memory.leanPeakBytes
  return [
    `${batch === 1 ? 'one input' : `${batch} inputs`} per run, ${packing} packing`,
    `ring 2^${report.logN}, ${report.depth} levels, ${refreshes}; ${report.securityMarginBits.toFixed(0)} bits of modulus below the 128-bit limit`,
    `${report.rotations} rotations, ${report.products} products, ${report.plaintextProducts} products with weights`,
    `${keys.count} evaluation keys: ${gigabytes(keys.bytes)}, ${gigabytes(keys.fileBytes)} to send`,
    `input ${gigabytes(ciphertexts.inputBytes)}, result ${gigabytes(ciphertexts.outputBytes)}, memory about ${gigabytes(peak)}`,
    `about ${duration(report.seconds)} a run, ${duration(report.seconds / batch)} an input, and ${duration(report.encodeSeconds)} to encode weights (${report.costModel} cost model, ${report.threads} thread${report.threads === 1 ? '' : 's'})`,
    `scores right to ${bits.length > 0 ? `${Math.min(...bits).toFixed(1)} bits of their range` : `2^-${report.precisionBits.toFixed(1)}`}`,
    ...sureness(report),
    ...(peak > memory
      ? [`note: more than the ${gigabytes(memory)} that it may hold: keys will come and go, if that is enough`]
      : []),
  ]
}

function sureness({ decisionMargin, failureProbability }: Plan['report']): string[] {
  if (decisionMargin === undefined)
    return failureProbability > 0 ? [`any bootstrap fails with a probability below ${chance(failureProbability)}`] : []
  return [
    `every spike is decided ${decisionMargin.toFixed(1)} standard deviations or more from a wrong one; any is wrong with a probability below ${chance(failureProbability)}`,
  ]
}

/** Below the smallest double there is no number left to say. */
const chance = (probability: number): string => (probability < 1e-300 ? '1e-300' : probability.toPrecision(2))
