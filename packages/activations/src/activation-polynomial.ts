/** The plain, JSON-serialisable result of an approximation, and its value in the clear. */
import { type ChebyshevSeries, clenshaw, evaluateSeries, type Range, toUnit } from './chebyshev.ts'

/** How a polynomial was found. */
export type ApproximationMethod = 'chebyshev' | 'remez' | 'least-squares' | 'composite'

interface Approximation {
  /** Name of the function it stands for. */
  readonly function: string
  /** How it was found. */
  readonly method: ApproximationMethod
  /** Inputs it is made for; outside, it grows like x^degree. */
  readonly range: Range
  /** Degree as a polynomial in x (the product of the factors' degrees for a composite). */
  readonly degree: number
  /** Levels on an input that is already mapped to [-1, 1]. */
  readonly depth: number
  /** Upper bound of |f - p| on the range (without (-gap, gap) for sign). */
  readonly certifiedError: number
}

/** One Chebyshev series on the range. */
export interface SeriesPolynomial extends Approximation {
  /** Names the form. */
  readonly kind: 'series'
  /** The polynomial, on `range`. */
  readonly series: ChebyshevSeries
}

/** sign(x), or x (1 + sign(x)) / 2, by a composition; the range is [-B, B]. */
export interface CompositePolynomial extends Approximation {
  /** Names the form. */
  readonly kind: 'composite'
  readonly function: 'sign' | 'relu'
  /** Of the factors, in order of application; all odd. */
  readonly degrees: readonly number[]
  /** |x| below which the sign is not approximated, in units of x. */
  readonly gap: number
  /** Odd factors of sign(x / B), each from [-1, 1] to [-1, 1]. */
  readonly factors: readonly ChebyshevSeries[]
}

/** A polynomial that stands for an activation, with its certified error. */
export type ActivationPolynomial = SeriesPolynomial | CompositePolynomial

/**
 * The polynomial's value at x, in the clear: what the encrypted circuit computes, up to its noise.
 * @example
 * ```ts
 * import { approximate, forwardPolynomial } from '@he-ml/activations'
 * forwardPolynomial(approximate('relu', { range: [-8, 8], degree: 15 }), 2)
 * ```
 */
export function forwardPolynomial(polynomial: ActivationPolynomial, x: number): number {
  if (polynomial.kind === 'series') return evaluateSeries(polynomial.series, x)
  const sign = polynomial.factors.reduce((t, f) => clenshaw(f.coefficients, t), toUnit(polynomial.range, x))
  return polynomial.function === 'sign' ? sign : 0.5 * x * (1 + sign)
}
