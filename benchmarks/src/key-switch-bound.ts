/**
 * The least time a key switch can take on a processor whose best is one 52-bit multiply-add instruction at a time: counted
 * multiply-adds over the measured rate, or key bytes over the measured memory bandwidth, whichever is longer.
 */
export interface KeySwitchShape {
  readonly logN: number
  readonly limbs: number
  readonly special: number
  readonly dnum: number
}

export interface Limits {
  /** Multiply-adds on single words, per second. */
  readonly multiplyAdds: number
  /** Bytes per second. */
  readonly bandwidth: number
}

/** A butterfly: quotient, product's low word, quotient times modulus. */
const PER_BUTTERFLY = 3
/** A product summed in two words. */
const PER_PRODUCT = 2
const BYTES_PER_RESIDUE = 8

export const nttMultiplyAdds = (logN: number): number => PER_BUTTERFLY * 2 ** (logN - 1) * logN

export const conversionMultiplyAdds = (logN: number, from: number, to: number): number =>
  PER_PRODUCT * 2 ** logN * from * to

/** Limbs of each digit: ceil(limbs / dnum), the last one what is left. */
export function digitSizes({ limbs, dnum }: Pick<KeySwitchShape, 'limbs' | 'dnum'>): number[] {
  const size = Math.ceil(limbs / dnum)
  return Array.from({ length: Math.ceil(limbs / size) }, (_, i) => Math.min(size, limbs - i * size))
}

/** Decompose, modUp, inner product, modDown of two polynomials. */
export function keySwitchMultiplyAdds(shape: KeySwitchShape): number {
  const { logN, limbs, special } = shape
  const all = limbs + special
  const digits = digitSizes(shape)
  const transforms = limbs + digits.reduce((sum, digit) => sum + all - digit, 0) + 2 * special + 2 * limbs
  const conversions =
    digits.reduce((sum, digit) => sum + conversionMultiplyAdds(logN, digit, all - digit), 0) +
    2 * conversionMultiplyAdds(logN, special, limbs)
  const inner = PER_PRODUCT * 2 * digits.length * all * 2 ** logN
  return transforms * nttMultiplyAdds(logN) + conversions + inner
}

export const keyBytes = (shape: KeySwitchShape): number =>
  2 * digitSizes(shape).length * (shape.limbs + shape.special) * 2 ** shape.logN * BYTES_PER_RESIDUE

/** Seconds. */
export const keySwitchBound = (shape: KeySwitchShape, { multiplyAdds, bandwidth }: Limits): number =>
  Math.max(keySwitchMultiplyAdds(shape) / multiplyAdds, keyBytes(shape) / bandwidth)
