/**
 * Chebyshev series: a polynomial p(x) = sum c_k T_k(t), where t maps the range [lo, hi] affinely to [-1, 1]. The basis in
 * which encrypted evaluation is stable: |T_k| <= 1 on the range, so that the coefficients bound every intermediate value.
 * Series are plain JSON. Background: L. N. Trefethen, "Approximation Theory and Approximation Practice" (2013), chapters
 * 2 to 4; Clenshaw's recurrence (1955).
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'

/** Closed interval [lo, hi], lo < hi, both finite. */
export type Range = readonly [number, number]

/** sum coefficients[k] * T_k(t), t = (2x - lo - hi) / (hi - lo). */
export interface ChebyshevSeries {
  /** From k = 0; degree + 1 of them. */
  readonly coefficients: readonly number[]
  /** Where the series is meant to be used. */
  readonly range: Range
}

/** @throws InvalidArgumentError unless lo < hi and both are finite */
export function checkRange(range: Range): Range {
  const [lo, hi] = range
  if (!Number.isFinite(lo) || !Number.isFinite(hi) || !(lo < hi))
    throw new InvalidArgumentError(`a range needs two finite numbers lo < hi, got [${lo}, ${hi}]`)
  return range
}

/** @throws InvalidArgumentError unless an integer from `least` to 4095 */
export function checkDegree(degree: number, least = 0): number {
  if (!Number.isInteger(degree) || degree < least || degree > 4095)
    throw new InvalidArgumentError(`a degree must be an integer from ${least} to 4095, got ${degree}`)
  return degree
}

/** Position of x in the range, as t in [-1, 1]. */
export const toUnit = ([lo, hi]: Range, x: number): number => (x - lo + (x - hi)) / (hi - lo)

/** The reverse of `toUnit`. */
export const fromUnit = ([lo, hi]: Range, t: number): number => 0.5 * (lo + hi) + 0.5 * (hi - lo) * t

/** sum c_k T_k(t) by Clenshaw's recurrence; t itself, not x. */
export function clenshaw(coefficients: ArrayLike<number>, t: number): number {
  let b1 = 0
  let b2 = 0
  for (let k = coefficients.length - 1; k >= 1; k--) {
    const b0 = 2 * t * b1 - b2 + coefficients[k]!
    b2 = b1
    b1 = b0
  }
  return coefficients.length === 0 ? 0 : t * b1 - b2 + coefficients[0]!
}

/**
 * Value of a series at x, inside or outside its range.
 * @example
 * ```ts
 * import { evaluateSeries } from '@he-ml/activations'
 * evaluateSeries({ coefficients: [0.5, 0, 0.5], range: [-1, 1] }, 0.3) // x^2 = 0.09
 * ```
 */
export const evaluateSeries = (series: ChebyshevSeries, x: number): number =>
  clenshaw(series.coefficients, toUnit(series.range, x))

/** The zeros of T_count mapped to the range, descending in t. */
export function chebyshevNodes(count: number, range: Range): Float64Array {
  const nodes = new Float64Array(count)
  for (let j = 0; j < count; j++) nodes[j] = fromUnit(range, Math.cos(((2 * j + 1) * Math.PI) / (2 * count)))
  return nodes
}

/**
 * The polynomial of the given degree that equals f at the degree + 1 Chebyshev nodes of the range; within a factor
 * 2 + (2/pi) log(degree + 1) of the best one.
 * @throws InvalidArgumentError for bad ranges, degrees or a function that is not finite at a node
 * @example
 * ```ts
 * import { evaluateSeries, interpolateChebyshev } from '@he-ml/activations'
 * const series = interpolateChebyshev(Math.exp, 12, [-1, 1])
 * evaluateSeries(series, 0.5) - Math.exp(0.5) // about 1e-13
 * ```
 */
export function interpolateChebyshev(f: (x: number) => number, degree: number, range: Range): ChebyshevSeries {
  checkRange(range)
  const count = checkDegree(degree) + 1
  const values = chebyshevNodes(count, range)
  for (let j = 0; j < count; j++) {
    const x = values[j]!
    values[j] = f(x)
    if (!Number.isFinite(values[j])) throw new InvalidArgumentError(`the function is ${values[j]} at ${x}`)
  }
  const coefficients = new Array<number>(count)
  const cosines = cosineTable(4 * count)
  for (let k = 0; k < count; k++) {
    let sum = 0
    for (let j = 0; j < count; j++) sum += values[j]! * cosines[(k * (2 * j + 1)) % (4 * count)]!
    coefficients[k] = ((k === 0 ? 1 : 2) * sum) / count
  }
  return { coefficients, range: [range[0], range[1]] }
}

/** cos(2 pi i / size). */
function cosineTable(size: number): Float64Array {
  const table = new Float64Array(size)
  for (let i = 0; i < size; i++) table[i] = Math.cos((2 * Math.PI * i) / size)
  return table
}

/** Levels a polynomial of this degree costs in Chebyshev basis on a normalised input: ceil(log2(degree + 1)). */
export const seriesDepth = (degree: number): number => (degree < 1 ? 0 : Math.ceil(Math.log2(degree + 1)))

/** Degree without trailing zero coefficients. */
export function seriesDegree(series: ChebyshevSeries): number {
  let degree = series.coefficients.length - 1
  while (degree > 0 && series.coefficients[degree] === 0) degree--
  return Math.max(0, degree)
}

/** Coefficients smaller than this share of the largest are what rounding left: ckks-core's polynomials do not evaluate them. */
const ROUND_OFF = 2 ** -50

/** @returns the series with such coefficients zero, and a bound on what that changes */
export function withoutRoundOff({ coefficients, range }: ChebyshevSeries): { kept: ChebyshevSeries; dropped: number } {
  const least = ROUND_OFF * coefficients.reduce((most, c) => Math.max(most, Math.abs(c)), 0)
  let dropped = 0
  const kept = coefficients.map((c) => {
    if (Math.abs(c) >= least) return c
    dropped += Math.abs(c)
    return 0
  })
  return { kept: { coefficients: kept, range }, dropped }
}
