/**
 * What decides the time of a bootstrap: how many limbs, factors, digits and special primes there are, not how many bits they have.
 * A shape is that; its bits are found by `fitBits`.
 */
import type { RefreshNeed } from './refresh-need.ts'

/** A way of building a set, its bits apart. */
export interface SetShape {
  /** log2 of the ring degree. */
  readonly logN: number
  /** Factors of the transforms, a level each. */
  readonly coeffsToSlots: number
  /** Factors of the transform back, a level each. */
  readonly slotsToCoeffs: number
  /** Digits of key switching at the top level. */
  readonly dnum: number
  /** Whether evalMod's second and third level are pairs of primes: four bits more where errors are amplified most. */
  readonly pairs: boolean
  /** Odd degree of the polynomial after the sine; 0: none. */
  readonly arcsine: number
}

/** In this order: each has more levels and amplifies errors less than the one before, and is looked at when that has too few bits. */
export const ARCSINES = [0, 3, 7] as const

/** More factors have fewer diagonals and rotations, and more limbs everywhere. */
export const UP = [3, 4] as const
export const DOWN = [2, 3] as const

/** Digits worth trying; the smaller ring has no room for many special primes. */
const DIGITS: Readonly<Record<number, readonly number[]>> = { 15: [3, 4, 5, 7, 10], 16: [2, 3, 4, 5] }

/** log2 of the ring degrees that bootstraps are secure in. */
export const RINGS: readonly number[] = [15, 16]

/** All shapes that a need leaves open, with one polynomial after the sine. */
export function setShapes({ rings = RINGS, slots = 0 }: RefreshNeed, arcsine: number): SetShape[] {
  const shapes: SetShape[] = []
  for (const logN of rings) {
    if (slots > 2 ** (logN - 1)) continue
    for (const dnum of DIGITS[logN] ?? [])
      for (const coeffsToSlots of UP)
        for (const slotsToCoeffs of DOWN)
          for (const pairs of [false, true]) shapes.push({ logN, coeffsToSlots, slotsToCoeffs, dnum, pairs, arcsine })
  }
  return shapes
}
