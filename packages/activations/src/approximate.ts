/**
 * From a function, a range and a degree or an error to a polynomial with a certified error. Which method: 'remez' for the
 * smallest largest error; 'chebyshev' nearly as good and always works; 'least-squares' for the smallest mean error over the
 * inputs that really occur; 'composite' for sign and ReLU where steepness is wanted and depth is there.
 */
import { InvalidArgumentError, PlanError, UnsupportedError } from '@he-ml/ckks-core'
import type { ActivationPolynomial, SeriesPolynomial } from './activation-polynomial.ts'
import { approximateComposite } from './approximate-composite.ts'
import type { ApproximateOptions } from './approximate-options.ts'
import { certifySeries } from './certify.ts'
import {
  type ChebyshevSeries,
  checkDegree,
  checkRange,
  interpolateChebyshev,
  type Range,
  seriesDegree,
  seriesDepth,
  withoutRoundOff,
} from './chebyshev.ts'
import { type ActivationFunction, type ActivationName, activationFunction } from './functions.ts'
import { fitLeastSquares } from './least-squares.ts'
import { findMinimax } from './remez.ts'
import { addSeries } from './series-algebra.ts'

/**
 * A polynomial that stands for a function on a range.
 * @throws InvalidArgumentError for options that do not fit together; PlanError when no allowed degree meets the error;
 *   UnsupportedError when a method cannot serve the function
 * @example
 * ```ts
 * import { approximate } from '@he-ml/activations'
 * const relu = approximate('relu', { range: [-8, 8], error: 0.1 })
 * relu.depth // levels
 * relu.certifiedError // at most 0.1
 * ```
 */
export function approximate(
  fn: ActivationName | ActivationFunction,
  options: ApproximateOptions,
): ActivationPolynomial {
  const f = activationFunction(fn)
  checkRange(options.range)
  if (options.error !== undefined && !(options.error > 0))
    throw new InvalidArgumentError(`the wanted error must be positive, got ${options.error}`)
  if (options.method === 'composite') return approximateComposite(f.name, options)
  if (f.name === 'square' && (options.degree ?? 2) >= 2) return exactSquare(f, options)
  if (options.error !== undefined) return smallestDegree(f, options, options.error)
  if (options.degree === undefined)
    throw new InvalidArgumentError(`approximate("${f.name}") needs a degree or an error`)
  return withDegree(f, options, checkDegree(options.degree, 1))
}

function withDegree(f: ActivationFunction, options: ApproximateOptions, degree: number): SeriesPolynomial {
  const method = options.method ?? 'remez'
  const series = findSeries(f, options, degree)
  const intervals = f.name === 'sign' ? signIntervals(options) : [options.range]
  const { certified } = certifySeries(f, series, intervals)
  return describeSeries(f, method as SeriesPolynomial['method'], series, certified)
}

/** A series with what is known about it; round-off and trailing zeros are dropped, as the circuit drops them. */
export function describeSeries(
  f: ActivationFunction,
  method: SeriesPolynomial['method'],
  series: ChebyshevSeries,
  certifiedError: number,
): SeriesPolynomial {
  const { kept, dropped } = withoutRoundOff(series)
  const degree = seriesDegree(kept)
  const trimmed = { coefficients: kept.coefficients.slice(0, degree + 1), range: series.range }
  return {
    kind: 'series',
    function: f.name,
    method,
    range: series.range,
    degree,
    depth: seriesDepth(degree),
    certifiedError: certifiedError + dropped,
    series: trimmed,
  }
}

function findSeries(f: ActivationFunction, options: ApproximateOptions, degree: number): ChebyshevSeries {
  const { range, method = 'remez' } = options
  if (f.name === 'sign') {
    if (method !== 'remez')
      throw new UnsupportedError(`sign jumps at 0: take the method remez or composite with a gap, not ${method}`)
    return signSeries(options, degree)
  }
  if (method === 'chebyshev') return symmetric(f, interpolateChebyshev(f.evaluate, degree, range))
  if (method === 'least-squares') {
    const { density, floor } = options
    const extra = { ...(density && { density }), ...(floor !== undefined && { floor }) }
    return fitLeastSquares(f.evaluate, { range, degree, kinks: f.kinks, ...extra }).series
  }
  return minimaxSeries(f, range, degree)
}

/** Rounding leaves traces of the other parity; without them the circuit skips those T_k. */
function symmetric({ symmetry }: ActivationFunction, series: ChebyshevSeries): ChebyshevSeries {
  const [lo, hi] = series.range
  if (!symmetry || lo !== -hi) return series
  const { offset, slope, parity } = symmetry
  const exact = [offset, slope * hi]
  const keep = parity === 'odd' ? 1 : 0
  return { ...series, coefficients: series.coefficients.map((c, k) => (k % 2 === keep ? c : (exact[k] ?? 0))) }
}

function minimaxSeries(f: ActivationFunction, range: Range, degree: number): ChebyshevSeries {
  const { symmetry } = f
  if (!symmetry || range[0] !== -range[1])
    return findMinimax(f.evaluate, { intervals: [range], degree, kinks: f.kinks }).series
  const { offset, slope, parity } = symmetry
  const affine: ChebyshevSeries = { coefficients: [offset, slope * range[1]], range: [-range[1], range[1]] }
  if (degree === 1 && parity === 'even') {
    const half = 0.5 * (f.evaluate(range[1]) - slope * range[1] + f.evaluate(0))
    return addSeries(affine, { coefficients: [half - offset], range: affine.range })
  }
  const rest = findMinimax((x) => f.evaluate(x) - offset - slope * x, {
    intervals: [[0, range[1]]],
    degree,
    parity,
    kinks: f.kinks,
  })
  return addSeries(affine, rest.series)
}

function signIntervals({ range, gap }: ApproximateOptions): readonly Range[] {
  if (gap === undefined || !(gap > 0 && gap < range[1]) || range[0] !== -range[1])
    throw new InvalidArgumentError(
      `sign needs a symmetric range and a gap inside it, got range [${range}] and gap ${gap ?? 'none'}`,
    )
  return [
    [-range[1], -gap],
    [gap, range[1]],
  ]
}

function signSeries(options: ApproximateOptions, degree: number): ChebyshevSeries {
  const positive = signIntervals(options)[1]!
  return findMinimax(() => 1, { intervals: [positive], degree, parity: 'odd' }).series
}

/** x^2 itself; its error is float64 rounding. */
function exactSquare(f: ActivationFunction, options: ApproximateOptions): SeriesPolynomial {
  const [lo, hi] = options.range
  const middle = 0.5 * (lo + hi)
  const half = 0.5 * (hi - lo)
  // (m + h t)^2 = m^2 + h^2 / 2 + 2 m h T_1 + h^2 / 2 T_2
  const coefficients = [middle * middle + 0.5 * half * half, 2 * middle * half, 0.5 * half * half]
  const series: ChebyshevSeries = { coefficients, range: [lo, hi] }
  return describeSeries(f, 'chebyshev', series, certifySeries(f, series).certified)
}

/** Doubling, then bisection; certified at every degree that is tried. */
function smallestDegree(f: ActivationFunction, options: ApproximateOptions, error: number): SeriesPolynomial {
  const most = checkDegree(options.degree ?? 255, 1)
  const tried = new Map<number, SeriesPolynomial>()
  const at = (degree: number): SeriesPolynomial => {
    const known = tried.get(degree) ?? withDegree(f, options, degree)
    tried.set(degree, known)
    return known
  }
  let low = 0
  let high = 1
  while (at(high).certifiedError > error) {
    if (high === most)
      throw new PlanError(
        'range',
        `no polynomial of degree at most ${most} stands for ${f.name} on [${options.range}] to ${error}: ` +
          `degree ${most} reaches ${at(most).certifiedError.toExponential(2)}; allow more error, a higher degree or narrow the range`,
      )
    low = high
    high = Math.min(most, 2 * high + 1)
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (at(middle).certifiedError <= error) high = middle
    else low = middle
  }
  return at(high)
}
