import { type OptionCheck, optionCheck, ParameterMismatchError } from '@he-ml/ckks-core'
import type { Calibration } from './calibration.ts'

/**
 * Layers of another model may bear the same names, and its ranges would pass for this one's.
 * @param name of the model, for the message
 * @throws ParameterMismatchError for the calibration of another model
 */
export function assertCalibrationOf({ model, modelDigest }: Calibration, name: string, digest: string): void {
  if (modelDigest === digest) return
  throw new ParameterMismatchError(
    `the calibration is that of a model "${model}" with other weights, layers or options (digest ${short(modelDigest)}), got the model "${name}" (digest ${short(digest)}): pass what fit(model, data) gives for this very model as the option calibration`,
  )
}

const short = (digest: string): string => `${String(digest).slice(0, 12)}...`

/** What `fit` gives: an empty object would pass for one that saw nothing, and typed arrays do not come back from JSON. */
export const isCalibration: OptionCheck = (value) =>
  isRecord(value) &&
  typeof value.modelDigest === 'string' &&
  isRecord(value.statistics) &&
  Object.values(value.statistics).every(isStatistics) &&
  isAbsentOr(value.outputMagnitude, Number.isFinite) &&
  isAbsentOr(value.outputRanges, (ranges) => isRecord(ranges) && isNumbers(ranges.min) && isNumbers(ranges.max)) &&
  isAbsentOr(value.inputRange, (r) => isRecord(r) && Number.isFinite(r.min) && Number.isFinite(r.max)) &&
  isAbsentOr(value.values, (sizes) => isRecord(sizes) && Object.values(sizes).every(isRecord))
    ? undefined
    : 'what fit(model, data) gives, or parseCalibration of its file'

const isStatistics = (s: unknown): boolean =>
  isRecord(s) &&
  s.histogram instanceof Float64Array &&
  [s.count, s.min, s.max, s.mean, s.std].every((x) => Number.isFinite(x))

const isNumbers = (list: unknown): boolean =>
  (Array.isArray(list) || list instanceof Float64Array) && [...list].every((x) => Number.isFinite(x))
const isAbsentOr = (value: unknown, is: (value: unknown) => boolean): boolean => value === undefined || is(value)
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => optionCheck.object(value) === undefined
