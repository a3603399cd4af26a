/** A mean with what is known of it from a few repetitions. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { twoSidedQuantile } from './student-t.ts'

/** An interval, both ends belonging to it. */
export interface Interval {
  readonly low: number
  readonly high: number
}

export interface Estimate extends Interval {
  readonly count: number
  readonly mean: number
  /** Of the sample, with count - 1 below the fraction; 0 for one value. */
  readonly deviation: number
}

/**
 * Mean, standard deviation and the interval of Student's t for the mean of a normal variable. One value says nothing of the
 * spread: its interval is everything.
 *
 * @param confidence default 0.95
 * @throws InvalidArgumentError without values, or for one that is not finite
 */
export function estimateMean(values: readonly number[], confidence = 0.95): Estimate {
  const count = values.length
  if (count === 0 || !values.every(Number.isFinite))
    throw new InvalidArgumentError(`estimate: expected at least one value and only finite ones, got [${values}]`)
  const first = values[0]!
  // around the first value, so that equal ones have exactly their own mean and no spread
  const mean = first + values.reduce((sum, value) => sum + (value - first), 0) / count
  if (count === 1) return { count, mean, deviation: 0, low: -Infinity, high: Infinity }
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1))
  const reach = (twoSidedQuantile(confidence, count - 1) * deviation) / Math.sqrt(count)
  return { count, mean, deviation, low: mean - reach, high: mean + reach }
}

/** Whether 0 lies in it: the data do not tell the difference from none. */
export const holdsZero = ({ low, high }: Interval): boolean => low <= 0 && high >= 0
