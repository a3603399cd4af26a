/**
 * sign(x) on [-1, -gap] and [gap, 1] as a composition of odd polynomials, each the minimax approximation of sign on the
 * range that the previous one leaves: E. Lee, J.-W. Lee, J.-S. No, "Minimax approximation of sign function by composite
 * polynomial for homomorphic comparison" (ePrint 2020/834). A composition reaches for a given depth what no single
 * polynomial of the same degree product could. Factors are stored so that each maps [-1, 1] into [-1, 1] (the next one's
 * range is folded into the coefficients), hence no level is spent on scaling between them.
 */
import { InvalidArgumentError, PlanError, UnsupportedError } from '@he-ml/ckks-core'
import { boundSupremum, type Supremum } from './branch-and-bound.ts'
import { type ChebyshevSeries, checkDegree, clenshaw, type Range, seriesDepth } from './chebyshev.ts'
import { polynomialEnclosure, roundingSlack } from './polynomial-enclosure.ts'
import { findMinimax } from './remez.ts'

/** p_k(...p_1(x)), every factor an odd Chebyshev series on [-1, 1]. */
export interface CompositeSign {
  /** p_1 first. */
  readonly factors: readonly ChebyshevSeries[]
  /** |x| from which the sign is approximated; the input's range is [-1, 1]. */
  readonly gap: number
  /** Minimax error of the last factor: |sign(x) - s(x)| for gap <= |x| <= 1. */
  readonly error: number
  /** Sum of the factors' depths. */
  readonly depth: number
}

/** Options of {@link compositeSign}. */
export interface CompositeSignOptions {
  /** Odd degrees in order of application. */
  readonly degrees: readonly number[]
  /** In (0, 1). */
  readonly gap: number
  /** Widens every factor's range, for the noise that encrypted values carry; default 0. */
  readonly noiseMargin?: number
}

/** Coefficients may not grow beyond this: the degree is then higher than float64 has use for. */
const LARGEST_COEFFICIENT_SUM = 1e6

/**
 * Finds the factors for given degrees.
 * @throws InvalidArgumentError for even degrees or a gap outside (0, 1); UnsupportedError when a degree is beyond
 *   float64; PlanError ('range') when the noise margin drowns what a factor leaves of a narrow gap
 * @example
 * ```ts
 * import { compositeSign, evaluateCompositeSign } from '@he-ml/activations'
 * const sign = compositeSign({ degrees: [15, 15, 27], gap: 2 ** -12 })
 * evaluateCompositeSign(sign, -0.01) // about -1
 * ```
 */
export function compositeSign(options: CompositeSignOptions): CompositeSign {
  const { degrees, gap } = options
  const margin = options.noiseMargin ?? 0
  if (!(gap > 0 && gap < 1)) throw new InvalidArgumentError(`the gap must lie in (0, 1), got ${gap}`)
  if (!(margin >= 0 && margin < 0.1)) throw new InvalidArgumentError(`noiseMargin must lie in [0, 0.1), got ${margin}`)
  if (degrees.length === 0) throw new InvalidArgumentError('a composite sign needs at least one degree')
  for (const degree of degrees)
    if (checkDegree(degree, 1) % 2 === 0) throw new InvalidArgumentError(`sign needs odd degrees, got ${degree}`)
  let interval: Range = [gap, 1]
  let error = 1
  const found = degrees.map((degree) => {
    const { series, error: reached } = findMinimax(() => 1, { intervals: [interval], degree, parity: 'odd' })
    if (series.coefficients.reduce((sum, c) => sum + Math.abs(c), 0) > LARGEST_COEFFICIENT_SUM)
      throw new UnsupportedError(
        `degree ${degree} on [${interval}] asks for more than float64 has: leave the factor out or lower its degree`,
      )
    error = reached
    interval = [1 - error - margin, 1 + error + margin]
    if (interval[0] <= 0)
      throw new PlanError(
        'range',
        `degree ${degree} leaves values from ${1 - error} and noise of ${margin}, so the sign is lost: take a wider gap, a ` +
          'higher degree or a smaller noise margin',
      )
    return series
  })
  const factors = found.map((series, i): ChebyshevSeries => {
    const next = found[i + 1]?.range[1] ?? 1
    return { coefficients: series.coefficients.map((c) => c / next), range: [-1, 1] }
  })
  return { factors, gap, error, depth: degrees.reduce((sum, d) => sum + seriesDepth(d), 0) }
}

/** Value of the composition at x in [-1, 1]. */
export const evaluateCompositeSign = (sign: { readonly factors: readonly ChebyshevSeries[] }, x: number): number =>
  sign.factors.reduce((value, factor) => clenshaw(factor.coefficients, value), x)

/** Bounds of sup |sign(x) - s(x)| for from <= |x| <= 1 (default: from the gap). */
export function certifyCompositeSign(sign: CompositeSign, from: number = sign.gap): Supremum {
  const chain = compositionEnclosure(sign.factors)
  return boundSupremum((x, r) => deviation(chain(x, r)), [from, 1])
}

/** Bounds of sup |relu(x) - x (1 + s(x)) / 2| for from <= |x| <= 1 (default: everywhere); x >= 0 is enough by symmetry. */
export function certifyReluBySign(sign: CompositeSign, from = 0): Supremum {
  const chain = compositionEnclosure(sign.factors)
  return boundSupremum(
    (x, r) => {
      const { lower, upper } = deviation(chain(x, r))
      return { lower: 0.5 * x * lower, upper: 0.5 * (x + r) * upper * (1 + 4 * Number.EPSILON) }
    },
    [from, 1],
    [sign.gap / 16, sign.gap],
  )
}

const deviation = ({ value, radius }: { value: number; radius: number }) => ({
  lower: Math.abs(1 - value),
  upper: Math.abs(1 - value) + radius,
})

/** Middle and radius of an interval that contains the composition's values on a piece. */
function compositionEnclosure(factors: readonly ChebyshevSeries[]) {
  const parts = factors.map(({ coefficients }) => ({
    enclose: polynomialEnclosure(coefficients),
    slack: roundingSlack(coefficients),
  }))
  return (x: number, r: number) => {
    let value = x
    let radius = r
    for (const { enclose, slack } of parts) {
      const { value: next, slope, curvature } = enclose(value, radius)
      // a radius of 0 asks for the sampled value alone
      radius = r === 0 ? 0 : Math.abs(slope) * radius + 0.5 * curvature * radius * radius + slack
      value = next
    }
    return { value, radius }
  }
}
