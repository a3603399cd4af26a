/** What a predicted error means for outputs of the size that the calibration data have; and the refusal of plans that promise nothing. */
import { PlanError } from '@he-ml/ckks-core'
import type { PlanReport } from '../plan/plan-report.ts'
import { COMPILE_DEFAULTS } from './defaults.ts'
import type { CompileOptions } from './options.ts'

/**
 * Bits of each output relative to its range: log2((max - min) / error), 0 for one that never changed; undefined without
 * calibration. Ranges of a single sample are no ranges: then the values themselves count.
 *
 * @throws PlanError ('precision') when not even the best output has as many bits as the options want
 */
export function assertPrecision(
  { precisionBits }: Pick<PlanReport, 'precisionBits'>,
  { calibration, precisionBits: least = COMPILE_DEFAULTS.precisionBits }: CompileOptions,
): number[] | undefined {
  const ranges = calibration?.outputRanges
  const single = calibration?.samples === 1
  const relative = ranges?.max.map((max, i) => {
    const width = single ? Math.abs(max) : max - ranges.min[i]!
    return width > 0 ? Math.log2(width) + precisionBits : 0
  })
  const varying = relative?.filter((bits) => bits !== 0) ?? []
  const best = varying.length > 0 ? varying.reduce((a, b) => Math.max(a, b)) : precisionBits
  if (best >= least) return relative
  throw new PlanError(
    'precision',
    `the expected error is 2^${(-precisionBits).toFixed(2)}, ${best.toFixed(2)} bits below ${varying.length > 0 ? 'the widest range of an output' : '1'}, wanted at least ${least}: raise the option scaleBits, lower the option activation.degree or calibrate on more samples; or lower the option precisionBits to take the plan all the same`,
  )
}
