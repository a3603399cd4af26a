/**
 * Upper bounds of the largest error of an approximation on its whole range: bounds, not samples. Every piece of the range is
 * enclosed by value, slope and curvature of the error; pieces are halved until the bound is within 0.1 % of a value that is
 * really taken. What is not proven is float64 itself: its rounding is covered by a generous slack, not by directed rounding. Of a
 * function without a derivative and a bound of its curvature nothing can be proven: its error is measured, closely.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { boundSupremum, type Supremum } from './branch-and-bound.ts'
import {
  type ChebyshevSeries,
  checkRange,
  evaluateSeries,
  interpolateChebyshev,
  type Range,
  toUnit,
} from './chebyshev.ts'
import { type ActivationFunction, type ActivationName, activationFunction } from './functions.ts'
import { polynomialEnclosure, roundingSlack } from './polynomial-enclosure.ts'

/**
 * Bounds of sup |f - p| over intervals within the series' range (default: all of it).
 * @returns `sampled` <= true supremum <= `certified`; of a function without derivative and curvature `certified` is an estimate, from
 *   samples as dense as 64 for each coefficient and at least 4096, and what a parabola through neighbours may rise above them
 * @throws InvalidArgumentError for intervals outside the series' range
 * @example
 * ```ts
 * import { certifySeries, interpolateChebyshev } from '@he-ml/activations'
 * const series = interpolateChebyshev(Math.tanh, 15, [-4, 4])
 * certifySeries('tanh', series).certified
 * ```
 */
export function certifySeries(
  fn: ActivationName | ActivationFunction,
  series: ChebyshevSeries,
  intervals: readonly Range[] = [series.range],
): Supremum {
  const f = activationFunction(fn)
  const bounds = intervals.map((interval) => {
    const [lo, hi] = checkRange(interval)
    if (lo < series.range[0] || hi > series.range[1])
      throw new InvalidArgumentError(`[${interval}] is not inside the series' range [${series.range}]`)
    return (
      (f.strip && certifyAnalytic(f, series, interval)) ??
      certifyPiecewise(f, series, interval) ??
      measure(f, series, interval)
    )
  })
  return {
    sampled: Math.max(...bounds.map((b) => b.sampled)),
    certified: Math.max(...bounds.map((b) => b.certified)),
  }
}

/** Through an interpolant q of f with a proven tail: |f - p| <= |q - p| + tail. Undefined where the range is too wide for one. */
function certifyAnalytic(f: ActivationFunction, series: ChebyshevSeries, interval: Range): Supremum | undefined {
  const { halfWidth, bound } = f.strip!
  const half = 0.5 * (series.range[1] - series.range[0])
  const minor = halfWidth / half
  const rho = minor + Math.sqrt(1 + minor * minor)
  const reach = Math.max(Math.abs(series.range[0]), Math.abs(series.range[1])) + half * (0.5 * (rho + 1 / rho) - 1)
  const size = bound(reach + halfWidth)
  const wanted = Math.ceil(Math.log((4 * size) / ((rho - 1) * 1e-17 * Math.max(1, size))) / Math.log(rho))
  const degree = Math.min(4000, Math.max(wanted, series.coefficients.length))
  const tail = (4 * size * rho ** -degree) / (rho - 1)
  if (tail > 1e-10 * Math.max(1, size)) return undefined
  const q = interpolateChebyshev(f.evaluate, degree, series.range).coefficients
  const largest = Math.max(...q.map(Math.abs))
  const rounding = 4 * Number.EPSILON * Math.log2(degree + 2) * largest
  const difference = q.map((c, k) => c - (series.coefficients[k] ?? 0))
  // the tail of rounding noise in q would dominate the derivatives' bounds: its sum is added to the slack instead
  let dropped = 0
  while (difference.length > 1 && Math.abs(difference[difference.length - 1]!) < 2 * Number.EPSILON * largest)
    dropped += Math.abs(difference.pop()!)
  const enclose = polynomialEnclosure(difference)
  const slack = tail + rounding + dropped + roundingSlack(series.coefficients)
  const scale = 1 / half
  return boundSupremum((x, radius) => {
    const t = toUnit(series.range, x)
    const r = radius * scale * (1 + 1e-12)
    const { value, slope, curvature } = enclose(t, r)
    const lower = Math.abs(value)
    return { lower, upper: lower + Math.abs(slope) * r + 0.5 * curvature * r * r + slack, slack }
  }, interval)
}

/** Relative to the values: a function that is the polynomial itself has no error to come near to. */
const EXACT = 2 ** -33

/** Directly, from the function's derivative and curvature between kinks; undefined for a function that does not tell them. */
function certifyPiecewise(f: ActivationFunction, series: ChebyshevSeries, interval: Range): Supremum | undefined {
  const { derivative, curvature: bound } = f
  if (!derivative || bound === undefined) return undefined
  const enclose = polynomialEnclosure(series.coefficients)
  const scale = 2 / (series.range[1] - series.range[0])
  const slack = roundingSlack(series.coefficients)
  const near = slack + EXACT * Math.max(...series.coefficients.map(Math.abs))
  return boundSupremum(
    (x, radius) => {
      const r = radius * (1 + 1e-12)
      const { value, slope, curvature } = enclose(toUnit(series.range, x), r * scale)
      const fx = f.evaluate(x)
      const lower = Math.abs(fx - value)
      const bend = bound + curvature * scale * scale
      const upper = lower + Math.abs(derivative(x) - slope * scale) * r + 0.5 * bend * r * r
      return { lower, upper: upper + slack + 4 * Number.EPSILON * Math.abs(fx), slack: near }
    },
    interval,
    f.kinks,
  )
}

/** Between neighbouring samples a smooth error rises above them by an eighth of its second difference; twice that is allowed for. */
const RISE = 1 / 4

/** The largest error on samples that lie closer at the ends, and its rise between them; kinks are samples, differences stop there. */
function measure(f: ActivationFunction, series: ChebyshevSeries, [lo, hi]: Range): Supremum {
  const count = Math.max(4096, 64 * series.coefficients.length)
  const inner = f.kinks.filter((x) => x > lo && x < hi)
  const borders = [...new Set([lo, ...inner, hi])].sort((a, b) => a - b)
  let [sampled, certified] = [0, 0]
  for (let piece = 0; piece + 1 < borders.length; piece++) {
    const [a, b] = [borders[piece]!, borders[piece + 1]!]
    const errors = Float64Array.from({ length: count + 1 }, (_, i) => {
      const x = i === count ? b : a + (b - a) * Math.sin((Math.PI * i) / (2 * count)) ** 2
      return f.evaluate(x) - evaluateSeries(series, x)
    })
    for (let i = 0; i <= count; i++) {
      const at = Math.min(Math.max(i, 1), count - 1)
      const bend = Math.abs(errors[at - 1]! - 2 * errors[at]! + errors[at + 1]!)
      sampled = Math.max(sampled, Math.abs(errors[i]!))
      certified = Math.max(certified, Math.abs(errors[i]!) + RISE * bend)
    }
  }
  return { sampled, certified: certified + roundingSlack(series.coefficients) }
}
