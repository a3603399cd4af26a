/**
 * Prices by which layouts are compared before any level is known: the default cost model at a middling size. Only their
 * ratios matter; the baby-step giant-step split that is finally encoded is chosen by `prepareLinearTransform` at the real
 * level with the same model.
 */
import { createDefaultCostModel, type OperationSize } from '@he-ml/ckks-core'

export interface Prices {
  readonly baby: number
  readonly giant: number
  /** One diagonal: its product, and its share of encoding and memory. */
  readonly term: number
  /** A whole rotation, as a fold takes. */
  readonly rotate: number
}

/** Twice the product: a diagonal must also be encoded, and held. */
const TERM_FACTOR = 2

export function referencePrices(maxSlots: number): Prices {
  const model = createDefaultCostModel()
  const size: OperationSize = { logN: Math.log2(maxSlots) + 1, limbs: 12, specialLimbs: 4, digits: 3 }
  return {
    baby: model.seconds('transformBaby', size),
    giant: model.seconds('transformGiant', size),
    term: TERM_FACTOR * model.seconds('transformTerm', size),
    rotate: model.seconds('rotate', size),
  }
}

/** No split of `count` diagonals costs less than this. */
export function leastCost(count: number, prices: Prices): number {
  if (count === 0) return 0
  const rotations = 2 * Math.sqrt(count * prices.baby * prices.giant) - prices.baby - prices.giant
  return count * prices.term + Math.max(0, rotations)
}

/**
 * Price of a linear transform with these steps: the best split with a power-of-two number of baby steps, starting at 0 or
 * centred on it.
 *
 * @param steps distinct integers, negative for rotations to the right
 */
export function transformCost(steps: readonly number[], slots: number, prices: Prices): number {
  if (steps.length === 0) return 0
  let rotations = Number.POSITIVE_INFINITY
  const seen = new Uint32Array(2 * slots)
  let stamp = 0
  for (let length = 1; length <= slots; length *= 2) {
    for (const offset of length === 1 ? [0] : [0, length / 2]) {
      stamp++
      let babies = 0
      let giants = 0
      for (const step of steps) {
        const shifted = (((step + offset) % slots) + slots) % slots
        const baby = shifted % length
        const giant = (shifted - baby) / length
        if (baby !== offset && seen[baby] !== stamp) {
          seen[baby] = stamp
          babies++
        }
        if (giant !== 0 && seen[slots + giant] !== stamp) {
          seen[slots + giant] = stamp
          giants++
        }
      }
      rotations = Math.min(rotations, babies * prices.baby + giants * prices.giant)
    }
  }
  return rotations + steps.length * prices.term
}
