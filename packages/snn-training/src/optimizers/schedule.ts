import { InvalidArgumentError } from '@he-ml/ckks-core'

/** Linear warm-up, then half a cosine down to the lowest rate. */
export interface CosineSchedule {
  /** Highest rate, reached at the end of the warm-up. */
  readonly learningRate: number
  /** Steps of warm-up; default 0. */
  readonly warmupSteps?: number
  /** Rate at the last step; default 0. */
  readonly lowest?: number
}

/**
 * The rate of a step, 0 <= step < totalSteps: rate (step + 1) / warmup while warming up, then from the rate down to `lowest`.
 * @throws InvalidArgumentError unless 0 <= lowest <= learningRate and the warm-up is shorter than the run
 */
export function cosineRate(schedule: CosineSchedule, step: number, totalSteps: number): number {
  const { learningRate, warmupSteps = 0, lowest = 0 } = schedule
  if (!(learningRate > 0 && lowest >= 0 && lowest <= learningRate && Number.isFinite(learningRate)))
    throw new InvalidArgumentError(`schedule: expected 0 <= lowest <= learningRate, got ${lowest} and ${learningRate}`)
  if (!(Number.isInteger(warmupSteps) && warmupSteps >= 0 && warmupSteps < totalSteps))
    throw new InvalidArgumentError(`schedule: expected warmupSteps in [0, ${totalSteps}), got ${warmupSteps}`)
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - 1 - warmupSteps)
  return lowest + ((learningRate - lowest) * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2
}
