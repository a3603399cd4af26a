/**
 * Minimax polynomials by the multi-point exchange of Remez (1934), on one interval or a union of intervals, optionally only
 * even or odd powers. Parity is handled in the variable x^2: f(x) is approximated by T_j(u) or x T_j(u) with u the position
 * of x^2, which stays well conditioned even when the interval is narrow (the later factors of a composite sign). With a
 * weight w it is w (f - p) that alternates. The levelled error of a reference is a lower bound of the best error (de la
 * Vallee-Poussin), the largest error an upper one: the two are returned, and their agreement is the convergence test.
 */
import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import {
  type ChebyshevSeries,
  checkDegree,
  checkRange,
  clenshaw,
  interpolateChebyshev,
  type Range,
} from './chebyshev.ts'
import { alternatingExtrema, type Extremum } from './exchange.ts'
import { solveLinear } from './solve-linear.ts'

/** Options of {@link findMinimax}. */
export interface MinimaxOptions {
  /** One interval or several disjoint ones in ascending order. With a parity, the half with x >= 0. */
  readonly intervals: readonly Range[]
  /** At least 1. */
  readonly degree: number
  /** Use only even or odd powers; f must have that symmetry. Default: all powers. */
  readonly parity?: 'even' | 'odd'
  /** Positive, continuous on every interval: the largest w(x) |f(x) - p(x)| is made small. Default 1. */
  readonly weight?: (x: number) => number
  /** Points where f has a kink or is steep; searched exactly. */
  readonly kinks?: readonly number[]
  /** Relative agreement of the two bounds that ends the exchange; default 1e-9. */
  readonly tolerance?: number
}

/** What {@link findMinimax} found. */
export interface MinimaxResult {
  /** On the hull of the intervals, or on [-hi, hi] with a parity. */
  readonly series: ChebyshevSeries
  /** Largest weighted error found: the minimax error to within `tolerance`. */
  readonly error: number
  /** Lower bound of what any polynomial of this degree reaches. */
  readonly levelledError: number
  /** Points where the weighted error alternates, ascending, and the signed weighted errors there. */
  readonly alternation: readonly Extremum[]
  /** Exchanges that it took. */
  readonly iterations: number
}

/**
 * The best polynomial in the sup norm.
 * @throws InvalidArgumentError for bad intervals, degrees or parities; UnsupportedError when the exchange does not converge
 * @example
 * ```ts
 * import { findMinimax } from '@he-ml/activations'
 * // |x| on [-1, 1], degree 20: about 0.2801 / 20
 * findMinimax(Math.abs, { intervals: [[0, 1]], degree: 20, parity: 'even' }).error
 * ```
 */
export function findMinimax(f: (x: number) => number, options: MinimaxOptions): MinimaxResult {
  const { intervals, parity } = options
  checkIntervals(intervals, parity)
  const degree = effectiveDegree(checkDegree(options.degree, parity === 'odd' ? 1 : 0), parity)
  const hull: Range = [intervals[0]![0], intervals[intervals.length - 1]![1]]
  const count = parity === undefined ? degree + 1 : parity === 'odd' ? (degree + 1) / 2 : degree / 2 + 1
  const position = unitPosition(hull, parity)
  let coefficients = new Float64Array(count)
  const value = (x: number) => (parity === 'odd' ? x : 1) * clenshaw(coefficients, position(x))
  const weight = options.weight ?? (() => 1)
  const error = (x: number) => weight(x) * (f(x) - value(x))
  let reference = initialReference(intervals, count, parity)
  const tolerance = options.tolerance ?? 1e-9
  let largestValue = 0
  for (let iterations = 1; iterations <= 60; iterations++) {
    for (const x of reference) largestValue = Math.max(largestValue, weight(x) * Math.abs(f(x)))
    const solution = solveReference({ f, weight, position, parity }, reference, count)
    coefficients = solution.slice(0, count)
    const levelledError = Math.abs(solution[count]!)
    const extrema = alternatingExtrema(error, { intervals, reference, kinks: options.kinks ?? [], count: count + 1 })
    const largest = extrema.largest
    const roundingFloor = 64 * Number.EPSILON * largestValue
    const stuck = extrema.points.length < count + 1
    if (largest - levelledError <= tolerance * largest + (stuck ? 64 : 1) * roundingFloor)
      return {
        series: toSeries(value, hull, degree, parity),
        error: largest,
        levelledError,
        alternation: extrema.points,
        iterations,
      }
    if (stuck) break
    reference = extrema.points.map((p) => p.x)
  }
  throw new UnsupportedError(
    `the exchange for degree ${degree} on ${JSON.stringify(intervals)} did not converge in float64: ` +
      'take a lower degree, split the function, or use the method chebyshev',
  )
}

function checkIntervals(intervals: readonly Range[], parity: MinimaxOptions['parity']): void {
  if (intervals.length === 0) throw new InvalidArgumentError('minimax needs at least one interval')
  intervals.forEach((interval, i) => {
    checkRange(interval)
    if (i > 0 && interval[0] <= intervals[i - 1]![1])
      throw new InvalidArgumentError(`intervals must be disjoint and ascending, got ${JSON.stringify(intervals)}`)
  })
  if (parity !== undefined && intervals[0]![0] < 0)
    throw new InvalidArgumentError(`with parity '${parity}' give the intervals with x >= 0 only, got [${intervals[0]}]`)
}

/** The largest degree of that parity that is not larger. */
function effectiveDegree(degree: number, parity: MinimaxOptions['parity']): number {
  if (parity === 'even') return degree - (degree % 2)
  if (parity === 'odd') return degree - 1 + (degree % 2)
  return degree
}

/** Where the basis T_j is evaluated: x in its hull, or x^2 in the hull's squares. */
function unitPosition([lo, hi]: Range, parity: MinimaxOptions['parity']): (x: number) => number {
  if (parity === undefined) return (x) => (x - lo + (x - hi)) / (hi - lo)
  // x^2 - lo^2 + x^2 - hi^2 as products of differences: no cancellation on narrow intervals
  const width = (hi - lo) * (hi + lo)
  return (x) => ((x - lo) * (x + lo) + (x - hi) * (x + hi)) / width
}

/** Extrema of the Chebyshev polynomial of the problem, spread over the intervals by length. */
function initialReference(intervals: readonly Range[], count: number, parity: MinimaxOptions['parity']): number[] {
  const total = intervals.reduce((sum, [lo, hi]) => sum + hi - lo, 0)
  const reference: number[] = []
  for (let j = 0; j <= count; j++) {
    // far from 0 the parity no longer stands for the missing half of a symmetric interval
    const share = initialShare(j, count, intervals[0]![0] > 0.05 * total ? undefined : parity)
    let left = share * total
    const at = intervals.find(([lo, hi], i) => {
      if (left <= hi - lo || i === intervals.length - 1) return true
      left -= hi - lo
      return false
    })!
    reference.push(Math.min(at[0] + left, at[1]))
  }
  return reference
}

function initialShare(j: number, count: number, parity: MinimaxOptions['parity']): number {
  if (parity === undefined) {
    const share = 0.5 * (1 - Math.cos((Math.PI * j) / count))
    // lopsided: on a symmetric reference the levelled error of an even or odd function may vanish
    return share + 0.02 * share * (1 - share)
  }
  if (parity === 'even') return Math.sin((Math.PI * j) / (2 * count))
  return Math.cos((Math.PI * (count - j)) / (2 * count + 1))
}

interface Problem {
  readonly f: (x: number) => number
  readonly weight: (x: number) => number
  readonly position: (x: number) => number
  readonly parity: MinimaxOptions['parity']
}

/** Coefficients and levelled error: p(x_i) + (-1)^i E / w(x_i) = f(x_i). */
function solveReference(problem: Problem, reference: readonly number[], count: number): Float64Array {
  const { f, weight, position, parity } = problem
  const size = count + 1
  const matrix = new Float64Array(size * size)
  const right = new Float64Array(size)
  reference.forEach((x, i) => {
    const u = position(x)
    const factor = parity === 'odd' ? x : 1
    let previous = factor
    let current = u * factor
    for (let j = 0; j < count; j++) {
      matrix[i * size + j] = previous
      const next = 2 * u * current - previous
      previous = current
      current = next
    }
    const w = weight(x)
    if (!(w > 0 && w < Infinity)) throw new InvalidArgumentError(`the weight must be positive, got ${w} at ${x}`)
    matrix[i * size + count] = (i % 2 === 0 ? 1 : -1) / w
    right[i] = f(x)
    if (!Number.isFinite(right[i])) throw new InvalidArgumentError(`the function is ${right[i]} at ${x}`)
  })
  return solveLinear(matrix, right)
}

function toSeries(value: (x: number) => number, hull: Range, degree: number, parity: MinimaxOptions['parity']) {
  const range: Range = parity === undefined ? hull : [-hull[1], hull[1]]
  const series = interpolateChebyshev(value, degree, range)
  if (parity === undefined) return series
  const keep = parity === 'odd' ? 1 : 0
  return { range, coefficients: series.coefficients.map((c, k) => (k % 2 === keep ? c : 0)) }
}
