/**
 * Prices by which layouts are compared before any level is known: the default cost model at a middling size. Only their
 * ratios matter; the baby-step giant-step split that is finally encoded is chosen by `prepareLinearTransform` at the real
 * level with the same model.
 */
import { createDefaultCostModel, type OperationSize } from '@he-ml/ckks-core'

export interface Prices {
  readonly baby: number
  readonly giant: number
  /** The product with one diagonal. */
  readonly product: number
  /** Encoding a value of one: a diagonal that repeats is encoded once, in a smaller ring. */
  readonly encodeValue: number
  /** A whole rotation, as a fold takes. */
  readonly rotate: number
}

export function referencePrices(maxSlots: number): Prices {
  const model = createDefaultCostModel()
  const size: OperationSize = { logN: Math.log2(maxSlots) + 1, limbs: 12, specialLimbs: 4, digits: 3 }
  return {
    baby: model.seconds('transformBaby', size),
    giant: model.seconds('transformGiant', size),
    product: model.seconds('transformTerm', size),
    encodeValue: model.seconds('encode', { ...size, limbs: size.limbs + size.specialLimbs }) / maxSlots,
    rotate: model.seconds('rotate', size),
  }
}

/** One diagonal of so many values, encoded for a single use: single images keep no weights, and if they do, these take memory. */
export const termCost = (slots: number, { product, encodeValue }: Prices): number => product + slots * encodeValue

/** No split of `count` diagonals of so many values costs less than this. */
export function leastCost(count: number, slots: number, prices: Prices): number {
  if (count === 0) return 0
  const rotations = 2 * Math.sqrt(count * prices.baby * prices.giant) - prices.baby - prices.giant
  return count * termCost(slots, prices) + Math.max(0, rotations)
}

/** Marks of what was seen, two per slot; grown as needed and never cleared, because every count has a stamp of its own. */
let marks = new Uint32Array(0)
let stamp = 0

/**
 * Price of a linear transform with these steps: the best split with a power-of-two number of baby steps, starting at 0 or
 * centred on it.
 *
 * @param steps distinct integers, negative for rotations to the right
 */
export function transformCost(steps: readonly number[], slots: number, prices: Prices): number {
  if (steps.length === 0) return 0
  if (marks.length < 2 * slots || stamp > 2 ** 31) {
    marks = new Uint32Array(2 * slots)
    stamp = 0
  }
  let rotations = Number.POSITIVE_INFINITY
  for (let length = 1; length <= slots; length *= 2)
    for (const offset of length === 1 ? [0] : [0, length / 2])
      rotations = Math.min(rotations, splitCost(steps, { slots, length, offset }, prices, rotations))
  return rotations + steps.length * termCost(slots, prices)
}

/** Babies lie in [-offset, length - offset). Stops counting at `limit`. */
function splitCost(
  steps: readonly number[],
  { slots, length, offset }: { slots: number; length: number; offset: number },
  prices: Prices,
  limit: number,
): number {
  stamp++
  let cost = 0
  for (const step of steps) {
    const shifted = (step + offset) & (slots - 1)
    const baby = shifted & (length - 1)
    const giant = (shifted - baby) / length
    if (baby !== offset && marks[baby] !== stamp) {
      marks[baby] = stamp
      cost += prices.baby
    }
    if (giant !== 0 && marks[slots + giant] !== stamp) {
      marks[slots + giant] = stamp
      cost += prices.giant
    }
    if (cost >= limit) return limit
  }
  return cost
}
