/** From values to what the first layer sees at every time step. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type Reals, zerosLike } from '@he-ml/float-kernels'
import { uniformAt } from './counter-random.ts'

/** An input coded over time. */
export interface CodedInput {
  /** How many steps there are; at least 1. */
  readonly timeSteps: number
  /** Every step is the same: whatever stands before the first neuron need be computed once only. */
  readonly isStatic: boolean
  /** Values at step t, 0 <= t < timeSteps. Not to be written to. */
  at(t: number): Reals
}

/**
 * Direct coding: the values themselves at every step. The first layer of neurons turns them into spikes.
 *
 * @throws InvalidArgumentError unless timeSteps is a positive integer
 */
export function directCoding(values: Reals, timeSteps: number): CodedInput {
  checkTimeSteps(timeSteps)
  return { timeSteps, isStatic: true, at: () => values }
}

/**
 * Rate coding: independent spikes whose probability is the value.
 *
 * @param values in [0, 1]
 * @param seed any integer; the same seed gives the same spikes
 * @throws InvalidArgumentError for values outside [0, 1]
 * @example
 * ```ts
 * import { rateCoding } from '@he-ml/snn-neurons'
 * const coded = rateCoding(Float32Array.of(0, 0.5, 1), { timeSteps: 4, seed: 1 })
 * for (let t = 0; t < coded.timeSteps; t++) console.log(coded.at(t)) // the first never, the last always 1
 * ```
 */
export function rateCoding(
  values: Reals,
  { timeSteps, seed }: { readonly timeSteps: number; readonly seed: number },
): CodedInput {
  checkTimeSteps(timeSteps)
  checkUnit(values, 'rateCoding')
  const n = values.length
  return {
    timeSteps,
    isStatic: false,
    at: (t) => {
      const spikes = zerosLike(values)
      for (let i = 0; i < n; i++) spikes[i] = uniformAt(seed, t * n + i) < values[i]! ? 1 : 0
      return spikes
    },
  }
}

/**
 * Latency coding: one spike per value, the earlier the larger: at step round((1 - value)(timeSteps - 1)). A value of 0 gives
 * none.
 *
 * @param values in [0, 1]
 * @throws InvalidArgumentError for values outside [0, 1]
 */
export function latencyCoding(values: Reals, timeSteps: number): CodedInput {
  checkTimeSteps(timeSteps)
  checkUnit(values, 'latencyCoding')
  return {
    timeSteps,
    isStatic: false,
    at: (t) =>
      zerosLike(values).map((_, i) => {
        const value = values[i]!
        return value > 0 && Math.round((1 - value) * (timeSteps - 1)) === t ? 1 : 0
      }),
  }
}

/**
 * Event frames: what an event camera counted in each interval, [timeSteps, ...] row-major, one frame per step.
 *
 * @throws InvalidArgumentError unless the values divide into time steps
 */
export function eventFrames(frames: Reals, timeSteps: number): CodedInput {
  checkTimeSteps(timeSteps)
  const size = frames.length / timeSteps
  if (!Number.isInteger(size))
    throw new InvalidArgumentError(`eventFrames: ${frames.length} values do not divide into ${timeSteps} frames`)
  return { timeSteps, isStatic: false, at: (t) => frames.subarray(t * size, (t + 1) * size) }
}

function checkTimeSteps(timeSteps: number): void {
  if (!(Number.isInteger(timeSteps) && timeSteps >= 1))
    throw new InvalidArgumentError(`expected a positive number of time steps, got ${timeSteps}`)
}

function checkUnit(values: Reals, operation: string): void {
  for (const [i, value] of values.entries())
    if (!(value >= 0 && value <= 1))
      throw new InvalidArgumentError(`${operation}: expected values in [0, 1], got ${value} at ${i}: normalise them`)
}
