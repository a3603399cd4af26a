/**
 * Encloses a Chebyshev series on a small piece: value and slope at the middle, and a bound of the second derivative from
 * its own coefficients (|T_k| <= 1 on [-1, 1], and at most exp(k sqrt(2 d)) at distance d outside).
 */
import { clenshaw } from './chebyshev.ts'
import { unitDerivative } from './series-algebra.ts'

export interface Enclosure {
  /** Value and d/dt at the middle. */
  readonly value: number
  readonly slope: number
  /** Bound of |d^2/dt^2| on the piece. */
  readonly curvature: number
}

/** Makes t, radius -> enclosure on [t - radius, t + radius]. */
export function polynomialEnclosure(coefficients: readonly number[]): (t: number, radius: number) => Enclosure {
  const first = unitDerivative(coefficients)
  const second = unitDerivative(first)
  const third = unitDerivative(second)
  const total = (c: readonly number[]) => c.reduce((sum, v) => sum + Math.abs(v), 0)
  const [secondTotal, thirdTotal] = [total(second), total(third)]
  const degree = coefficients.length - 1
  return (t, radius) => {
    const outside = Math.max(0, Math.abs(t) + radius - 1)
    const growth = outside > 0 ? Math.exp(degree * Math.sqrt(2 * outside)) : 1
    return {
      value: clenshaw(coefficients, t),
      slope: clenshaw(first, t),
      curvature: Math.min(secondTotal * growth, Math.abs(clenshaw(second, t)) + thirdTotal * growth * radius),
    }
  }
}

/** What float64 evaluation of a series can lose: a few units in the last place of the sum of its coefficients. */
export const roundingSlack = (coefficients: readonly number[]): number =>
  coefficients.reduce((sum, c) => sum + Math.abs(c), 0) * (coefficients.length + 8) * Number.EPSILON
