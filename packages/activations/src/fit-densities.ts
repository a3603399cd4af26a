/**
 * Least squares for many densities on one range: what each channel of a network sees. The normal equations of the Chebyshev basis
 * follow from twice as many moments as there are coefficients, since 2 T_j T_k = T_(j+k) + T_|j-k|, and the cosines are shared by all
 * densities, so a fit costs a thirtieth of {@link fitLeastSquares}. Squared condition numbers are no matter here: the uniform floor
 * keeps them small enough for coefficients that agree with Householder's to 8 digits of the largest (tested up to degree 119).
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { checkDegree, checkRange, fromUnit, type Range } from './chebyshev.ts'
import { type Histogram, mixedDensity } from './least-squares.ts'

/** Options of {@link fitDensities}. */
export interface DensityFitOptions {
  /** Where the polynomials are meant to be used. */
  readonly range: Range
  /** Of all polynomials, at least 1. */
  readonly degree: number
  /** Share of the uniform density in each mixture, from 0.001 to 1; default 0.05. */
  readonly floor?: number
}

/**
 * For each density the Chebyshev coefficients of the polynomial that minimises the integral of (f - p)^2 under it, as
 * {@link fitLeastSquares} finds them.
 *
 * @throws InvalidArgumentError for bad ranges, degrees, floors or histograms
 * @example
 * ```ts
 * import { fitDensities } from '@he-ml/activations'
 * const densities = [[0, 1, 9, 9, 1, 0], [9, 9, 0, 0, 0, 1]].map((counts) => ({ range: [-6, 6] as const, counts }))
 * console.log(fitDensities((x) => Math.max(0, x), densities, { range: [-6, 6], degree: 8 }).length) // 2
 * ```
 */
export function fitDensities(
  f: (x: number) => number,
  densities: readonly Histogram[],
  options: DensityFitOptions,
): Float64Array[] {
  const range = checkRange(options.range)
  const columns = checkDegree(options.degree) + 1
  const floor = options.floor ?? 0.05
  if (!(floor >= 0.001 && floor <= 1))
    throw new InvalidArgumentError(`floor must lie between 0.001 and 1, got ${floor}`)
  const points = new Points(f, range, columns)
  return densities.map((density) => points.fit(mixedDensity(range, density, floor)))
}

/** Chebyshev-distributed points, the function there and all cosines. */
class Points {
  readonly #rows: number
  readonly #columns: number
  readonly #x: Float64Array
  readonly #f: Float64Array
  /** Of the angle's width, times the slope of x. */
  readonly #width: Float64Array
  /** cos(k theta) of each point in a row, k up to twice the degree. */
  readonly #cosines: Float64Array

  constructor(f: (x: number) => number, range: Range, columns: number) {
    const rows = Math.max(512, 24 * columns)
    const most = 2 * columns - 1
    this.#rows = rows
    this.#columns = columns
    this.#x = new Float64Array(rows)
    this.#f = new Float64Array(rows)
    this.#width = new Float64Array(rows)
    this.#cosines = new Float64Array(rows * most)
    for (let i = 0; i < rows; i++) {
      const theta = ((i + 0.5) * Math.PI) / rows
      const x = fromUnit(range, Math.cos(theta))
      this.#x[i] = x
      this.#f[i] = f(x)
      if (!Number.isFinite(this.#f[i])) throw new InvalidArgumentError(`the function is not finite at ${x}`)
      this.#width[i] = (Math.sin(theta) * Math.PI * 0.5 * (range[1] - range[0])) / rows
      for (let k = 0; k < most; k++) this.#cosines[i * most + k] = Math.cos(k * theta)
    }
  }

  fit(density: (x: number) => number): Float64Array {
    const [columns, most] = [this.#columns, 2 * this.#columns - 1]
    const moments = new Float64Array(most)
    const right = new Float64Array(columns)
    for (let i = 0; i < this.#rows; i++) {
      const weight = density(this.#x[i]!) * this.#width[i]!
      const weighted = weight * this.#f[i]!
      const row = i * most
      for (let k = 0; k < most; k++) moments[k]! += weight * this.#cosines[row + k]!
      for (let k = 0; k < columns; k++) right[k]! += weighted * this.#cosines[row + k]!
    }
    const gram = new Float64Array(columns * columns)
    for (let j = 0; j < columns; j++)
      for (let k = 0; k <= j; k++) gram[j * columns + k] = 0.5 * (moments[j + k]! + moments[j - k]!)
    return choleskySolve(gram, right, columns)
  }
}

/** Of a symmetric positive matrix, its lower half row by row; overwrites both. */
function choleskySolve(a: Float64Array, b: Float64Array, n: number): Float64Array {
  for (let j = 0; j < n; j++)
    for (let k = 0; k <= j; k++) {
      let sum = a[j * n + k]!
      for (let i = 0; i < k; i++) sum -= a[j * n + i]! * a[k * n + i]!
      if (k < j) a[j * n + k] = sum / a[k * n + k]!
      else if (sum > 0) a[j * n + j] = Math.sqrt(sum)
      else throw new InvalidArgumentError('the density leaves too few points for this degree: raise the floor')
    }
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < j; i++) b[j]! -= a[j * n + i]! * b[i]!
    b[j]! /= a[j * n + j]!
  }
  for (let j = n - 1; j >= 0; j--) {
    for (let i = j + 1; i < n; i++) b[j]! -= a[i * n + j]! * b[i]!
    b[j]! /= a[j * n + j]!
  }
  return b
}
