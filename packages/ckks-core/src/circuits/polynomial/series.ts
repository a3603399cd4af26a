/** Coefficient vectors in the power or the Chebyshev basis: trimming, division by a basis element, clear evaluation. */
import { InvalidArgumentError } from '../../errors/errors.ts'
import type { ComplexVector } from '../../port/slot-values.ts'

/** `chebyshev`: sum of c_k T_k(x); `power`: sum of c_k x^k. */
export type PolynomialBasis = 'chebyshev' | 'power'

/** Coefficients, lowest first: real numbers, or complex as two halves. */
export type Coefficients = readonly number[] | Float64Array | ComplexVector

/** A complex number. */
export interface Complex {
  /** Real part. */
  readonly re: number
  /** Imaginary part. */
  readonly im: number
}

/** Coefficients smaller than this share of the largest are round-off of whoever made them, and count as zero. */
const NEGLIGIBLE = 2 ** -50

/** Coefficients without trailing zeros. */
export interface Series {
  readonly basis: PolynomialBasis
  readonly re: Float64Array
  readonly im: Float64Array
}

export const degreeOf = (series: Series): number => series.re.length - 1

/** @throws InvalidArgumentError for no coefficients, halves of different lengths, or values that are not finite */
export function createSeries(basis: PolynomialBasis, coefficients: Coefficients): Series {
  const complex = 're' in coefficients
  const re = Float64Array.from(complex ? coefficients.re : coefficients)
  const im = complex && coefficients.im ? Float64Array.from(coefficients.im) : new Float64Array(re.length)
  if (re.length === 0 || re.length !== im.length)
    throw new InvalidArgumentError(
      `a polynomial needs as many real as imaginary coefficients, got ${re.length} and ${im.length}`,
    )
  let largest = 0
  for (let k = 0; k < re.length; k++) {
    if (!Number.isFinite(re[k]) || !Number.isFinite(im[k]))
      throw new InvalidArgumentError(`coefficient ${k} of a polynomial must be finite`)
    largest = Math.max(largest, Math.abs(re[k]!), Math.abs(im[k]!))
  }
  for (let k = 0; k < re.length; k++) {
    if (Math.abs(re[k]!) < largest * NEGLIGIBLE) re[k] = 0
    if (Math.abs(im[k]!) < largest * NEGLIGIBLE) im[k] = 0
  }
  return trimmed(basis, re, im)
}

function trimmed(basis: PolynomialBasis, re: Float64Array, im: Float64Array): Series {
  let length = re.length
  while (length > 1 && re[length - 1] === 0 && im[length - 1] === 0) length--
  return { basis, re: re.slice(0, length), im: im.slice(0, length) }
}

/**
 * p = quotient * T_g + remainder (or x^g), the remainder of degree below g; needs g <= degree < 2 g. Chebyshev:
 * T_k = 2 T_(k-g) T_g - T_(2g-k).
 */
export function divideByElement(series: Series, g: number): { quotient: Series; remainder: Series } {
  const { basis } = series
  const degree = degreeOf(series)
  const halves = [series.re, series.im].map((c) => {
    const quotient = c.slice(g)
    const remainder = c.slice(0, g)
    if (basis === 'chebyshev') {
      for (let k = g + 1; k <= degree; k++) {
        quotient[k - g]! *= 2
        remainder[2 * g - k]! -= c[k]!
      }
    }
    return { quotient, remainder }
  })
  const [re, im] = halves as [(typeof halves)[0], (typeof halves)[0]]
  return {
    quotient: trimmed(basis, re.quotient, im.quotient),
    remainder: trimmed(basis, re.remainder, im.remainder),
  }
}

/** The value at x in the clear: Clenshaw's recurrence or Horner's scheme. */
export function evaluateSeries(series: Series, x: Complex): Complex {
  const { basis, re, im } = series
  const twice = basis === 'chebyshev' ? 2 : 1
  // b1 = c_k + 2 x b1 - b2 (Clenshaw); b1 = c_k + x b1 (Horner)
  let b1 = { re: 0, im: 0 }
  let b2 = { re: 0, im: 0 }
  for (let k = re.length - 1; k >= 0; k--) {
    const factor = k === 0 ? 1 : twice
    const keep = twice - 1
    const next = {
      re: re[k]! + factor * (x.re * b1.re - x.im * b1.im) - keep * b2.re,
      im: im[k]! + factor * (x.re * b1.im + x.im * b1.re) - keep * b2.im,
    }
    b2 = b1
    b1 = next
  }
  return b1
}

/** Estimated root mean square of the values: over [-1, 1] with Chebyshev weight, or of independent powers. */
export function seriesMagnitude({ basis, re, im }: Series): number {
  const share = basis === 'chebyshev' ? 0.5 : 1
  let sum = re[0]! ** 2 + im[0]! ** 2
  for (let k = 1; k < re.length; k++) sum += share * (re[k]! ** 2 + im[k]! ** 2)
  return Math.sqrt(sum)
}
