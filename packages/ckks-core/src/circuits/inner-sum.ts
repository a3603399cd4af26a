import { InvalidArgumentError } from '../errors/errors.ts'
import type { Evaluator } from '../port/engine.ts'
import type { Ciphertext } from '../port/handles.ts'

/** Which slots are added. */
export interface InnerSumOptions {
  /** Number of terms, at least 1. */
  readonly count: number
  /** Slots between neighbouring terms; negative sums to the left, which replicates. Default 1. */
  readonly stride?: number
}

/** The left rotations an inner sum uses, in order; each is one key switch. */
export function innerSumSteps({ count, stride = 1 }: InnerSumOptions): number[] {
  const steps: number[] = []
  let covered = 0
  for (let block = 1; block <= count; block *= 2) {
    if (count & block) {
      if (covered > 0) steps.push(covered * stride)
      covered += block
    }
    if (block * 2 <= count) steps.push(block * stride)
  }
  return steps
}

/**
 * Rotate and add: slot j of the result is the sum over i in [0, count) of slot j + i * stride. Takes
 * floor(log2 count) + (number of ones in count) - 1 rotations; level and scale stay.
 *
 * @throws InvalidArgumentError unless count is a positive integer below 2^31 and stride an integer; MissingKeyError
 */
export function innerSum(engine: Evaluator, a: Ciphertext, options: InnerSumOptions): Ciphertext {
  const { count, stride = 1 } = options
  if (!Number.isInteger(count) || count < 1 || count >= 2 ** 31 || !Number.isSafeInteger(stride))
    throw new InvalidArgumentError(
      `innerSum: count must be a positive integer and stride an integer, got ${count} and ${stride}`,
    )
  let block = engine.dropLevel(a, a.level)
  let total: Ciphertext | undefined
  let covered = 0
  for (let size = 1; size <= count; size *= 2) {
    if (count & size) {
      total = total ? addRotated(engine, total, block, covered * stride) : engine.dropLevel(block, block.level)
      covered += size
    }
    if (size * 2 <= count) block = addRotated(engine, block, block, size * stride)
  }
  block.dispose()
  return total!
}

/** base + rotate(other, steps); base is consumed. */
function addRotated(engine: Evaluator, base: Ciphertext, other: Ciphertext, steps: number): Ciphertext {
  const rotated = engine.rotate(other, steps)
  const sum = engine.add(base, rotated)
  rotated.dispose()
  base.dispose()
  return sum
}
