/** Errors of slots, gathered over many ciphertexts. */
import { InvalidArgumentError } from '@he-ml/ckks-core'

/** Complex slot values, real and imaginary parts apart. */
export interface ComplexSlots {
  readonly re: Float64Array
  readonly im: Float64Array
}

/** |got - wanted| of one ciphertext: the mean and the largest over its slots. */
export interface SlotErrors {
  readonly mean: number
  readonly max: number
}

/** @throws InvalidArgumentError for different lengths */
export function slotErrors(got: ComplexSlots, wanted: ComplexSlots): SlotErrors {
  const slots = wanted.re.length
  if (got.re.length !== slots)
    throw new InvalidArgumentError(`slot errors: expected ${slots} slots, got ${got.re.length}`)
  let sum = 0
  let max = 0
  for (let i = 0; i < slots; i++) {
    const error = Math.hypot(got.re[i]! - wanted.re[i]!, got.im[i]! - wanted.im[i]!)
    sum += error
    max = Math.max(max, error) // keeps a NaN
  }
  return { mean: sum / slots, max }
}

/** The mean over all slots of all ciphertexts, and the largest of them all. */
export function overall(errors: readonly SlotErrors[]): SlotErrors {
  if (errors.length === 0) throw new InvalidArgumentError('overall: expected at least one ciphertext, got none')
  return {
    mean: errors.reduce((sum, { mean }) => sum + mean, 0) / errors.length,
    max: Math.max(...errors.map(({ max }) => max)),
  }
}

export const bits = (error: number): number => -Math.log2(error)

/** How a chain's error compares with as many single errors added up: above 1 it grows faster than their sum. */
export interface ChainGrowth {
  readonly mean: number
  readonly max: number
}

/**
 * The largest over the rounds k from the second of (error after k bootstraps) / (k times the error of one).
 *
 * @param chain errors after 1, 2, ... bootstraps, two at least
 * @param single the error of one bootstrap, from ciphertexts of their own
 * @throws InvalidArgumentError for a shorter chain
 */
export function chainGrowth(chain: readonly SlotErrors[], single: SlotErrors): ChainGrowth {
  if (chain.length < 2)
    throw new InvalidArgumentError(`chain growth: expected at least two bootstraps, got ${chain.length}`)
  const of = (pick: (e: SlotErrors) => number) =>
    Math.max(...chain.slice(1).map((e, i) => pick(e) / ((i + 2) * pick(single))))
  return { mean: of((e) => e.mean), max: of((e) => e.max) }
}
