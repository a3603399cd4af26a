import type { GaloisElement } from './quantities.ts'

/** Generator of the slot rotations (docs/adr/0001). */
export const GALOIS_GENERATOR = 5

/** Steps reduced to [0, slots). */
export function normalizeSteps(steps: number, slots: number): number {
  return ((steps % slots) + slots) % slots
}

/** The automorphism exponent of a left rotation by `steps`: 5^steps mod 2N. */
export function galoisElement(steps: number, logN: number): GaloisElement {
  const modulus = 2 ** (logN + 1)
  let e = normalizeSteps(steps, modulus / 4)
  let result = 1
  let base = GALOIS_GENERATOR
  for (; e > 0; e = Math.floor(e / 2)) {
    if (e % 2 === 1) result = (result * base) % modulus
    base = (base * base) % modulus
  }
  return result
}

/** The exponent of complex conjugation: 2N - 1. */
export const conjugationElement = (logN: number): GaloisElement => 2 ** (logN + 1) - 1
