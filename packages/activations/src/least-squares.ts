/**
 * Weighted least squares in Chebyshev basis. Trained networks see mostly small inputs, so the mean error over the inputs'
 * own distribution says more about accuracy than the largest error does. The density is a histogram of clear calibration
 * inputs mixed with a uniform floor, which keeps the polynomial bounded where no input was seen. Solved by Householder
 * reflections on Chebyshev-distributed points: no normal equations, so no squared condition number.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type ChebyshevSeries, checkDegree, checkRange, fromUnit, type Range } from './chebyshev.ts'

/** Counts in equal bins over a range. */
export interface Histogram {
  /** Where the bins lie. */
  readonly range: Range
  /** Values in each bin, lowest first. */
  readonly counts: ArrayLike<number>
}

/** Options of {@link fitLeastSquares}. */
export interface LeastSquaresOptions {
  /** Where the polynomial is meant to be used. */
  readonly range: Range
  /** At least 1. */
  readonly degree: number
  /** Distribution of the inputs; default uniform. Mass outside `range` is ignored. */
  readonly density?: Histogram
  /** Share of the uniform density in the mixture, in (0, 1]; default 0.05. */
  readonly floor?: number
  /** Points where f has a kink; sampled exactly. */
  readonly kinks?: readonly number[]
}

/** What {@link fitLeastSquares} found. */
export interface LeastSquaresFit {
  /** The polynomial, on the range. */
  readonly series: ChebyshevSeries
  /** Root mean square error under the mixed density. */
  readonly rmsError: number
  /** Largest error seen on the sample points; a lower bound of the sup norm. */
  readonly supError: number
}

/**
 * The polynomial that minimises the integral of (f - p)^2 under the density.
 * @throws InvalidArgumentError for bad ranges, degrees, floors or an empty histogram without a floor
 * @example
 * ```ts
 * import { fitLeastSquares } from '@he-ml/activations'
 * const counts = [0, 1, 9, 9, 1, 0]
 * fitLeastSquares((x) => Math.max(0, x), { range: [-6, 6], degree: 8, density: { range: [-6, 6], counts } })
 * ```
 */
export function fitLeastSquares(f: (x: number) => number, options: LeastSquaresOptions): LeastSquaresFit {
  const range = checkRange(options.range)
  const columns = checkDegree(options.degree) + 1
  const floor = options.floor ?? 0.05
  if (!(floor > 0 && floor <= 1)) throw new InvalidArgumentError(`floor must lie in (0, 1], got ${floor}`)
  const density = mixedDensity(range, options.density, floor)
  const rows = Math.max(512, 24 * columns)
  const matrix = new Float64Array(rows * columns)
  const right = new Float64Array(rows)
  const weights = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    const theta = ((i + 0.5) * Math.PI) / rows
    const t = Math.cos(theta)
    const x = fromUnit(range, t)
    // dx = (width / 2) sin(theta) dtheta
    const w = Math.sqrt((density(x) * Math.sin(theta) * Math.PI * 0.5 * (range[1] - range[0])) / rows)
    weights[i] = w
    right[i] = w * f(x)
    if (!Number.isFinite(right[i])) throw new InvalidArgumentError(`the function is not finite at ${x}`)
    for (let k = 0; k < columns; k++) matrix[k * rows + i] = w * Math.cos(k * theta)
  }
  const solution = householderSolve(matrix, right, rows, columns)
  let supError = 0
  for (let i = 0; i < rows; i++) {
    const theta = ((i + 0.5) * Math.PI) / rows
    supError = Math.max(supError, Math.abs(f(fromUnit(range, Math.cos(theta))) - cosineSum(solution.x, theta)))
  }
  for (const x of options.kinks ?? []) {
    if (x < range[0] || x > range[1]) continue
    const theta = Math.acos(Math.max(-1, Math.min(1, (2 * x - range[0] - range[1]) / (range[1] - range[0]))))
    supError = Math.max(supError, Math.abs(f(x) - cosineSum(solution.x, theta)))
  }
  return {
    series: { coefficients: [...solution.x], range: [range[0], range[1]] },
    rmsError: solution.residual,
    supError,
  }
}

const cosineSum = (c: Float64Array, theta: number): number => c.reduce((sum, v, k) => sum + v * Math.cos(k * theta), 0)

/** (1 - floor) * histogram density + floor * uniform density, both of integral 1 over the range. */
export function mixedDensity(range: Range, histogram: Histogram | undefined, floor: number): (x: number) => number {
  const uniform = 1 / (range[1] - range[0])
  if (!histogram) return () => uniform
  const [lo, hi] = checkRange(histogram.range)
  const { counts } = histogram
  const bin = (hi - lo) / counts.length
  let mass = 0
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!
    if (!(count >= 0) || !Number.isFinite(count))
      throw new InvalidArgumentError(`bin ${i} of the histogram is ${count}`)
    const inside = Math.min(range[1], lo + (i + 1) * bin) - Math.max(range[0], lo + i * bin)
    mass += count * Math.max(0, inside / bin)
  }
  if (!(mass > 0)) return () => uniform
  return (x) => {
    const i = Math.floor((x - lo) / bin)
    const count = i >= 0 && i < counts.length ? counts[i]! : 0
    return ((1 - floor) * count) / (mass * bin) + floor * uniform
  }
}

/** min |A x - b|, A column-major; overwrites both. */
function householderSolve(a: Float64Array, b: Float64Array, rows: number, columns: number) {
  const reflect = (k: number, v: Float64Array, norm2: number, target: Float64Array, at: number) => {
    let dot = 0
    for (let i = k; i < rows; i++) dot += v[i]! * target[at + i]!
    const factor = (2 * dot) / norm2
    for (let i = k; i < rows; i++) target[at + i]! -= factor * v[i]!
  }
  for (let k = 0; k < columns; k++) {
    const v = a.slice(k * rows, (k + 1) * rows)
    let norm = 0
    for (let i = k; i < rows; i++) norm += v[i]! * v[i]!
    norm = Math.sqrt(norm)
    if (norm === 0) throw new InvalidArgumentError('the density leaves too few points for this degree: raise the floor')
    v[k]! += v[k]! < 0 ? -norm : norm
    let norm2 = 0
    for (let i = k; i < rows; i++) norm2 += v[i]! * v[i]!
    for (let j = k; j < columns; j++) reflect(k, v, norm2, a, j * rows)
    reflect(k, v, norm2, b, 0)
  }
  const x = new Float64Array(columns)
  for (let k = columns - 1; k >= 0; k--) {
    let sum = b[k]!
    for (let j = k + 1; j < columns; j++) sum -= a[j * rows + k]! * x[j]!
    x[k] = sum / a[k * rows + k]!
  }
  let residual = 0
  for (let i = columns; i < rows; i++) residual += b[i]! * b[i]!
  return { x, residual: Math.sqrt(residual) }
}
