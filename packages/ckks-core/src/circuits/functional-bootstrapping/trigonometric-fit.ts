/**
 * Trigonometric polynomials through values, or close to them: least squares in which the mean square of the derivative, over the whole
 * period, counts a little.
 */
import { solveLeastSquares } from '../bootstrapping/least-squares.ts'

/** f(x) is to be `value`. */
export interface TrigonometricCondition {
  /** In periods. */
  readonly x: number
  readonly value: number
  /** Of the number that stands for exp(2 pi i x): errors change its length too. Default 1. */
  readonly length?: number
  /** How much its square counts; default 1. */
  readonly weight?: number
}

/**
 * c_0, ..., c_d of Re(sum of c_j exp(2 pi i j x)).
 * @param smoothness error of the angle, in radians, from which a polynomial loses as much as from missing the values by its slope times
 *   that; very small ones decide only what the values leave open
 * @param solve of the least squares; where values need not be met exactly `solveNormalEquations` is faster
 */
export function fitTrigonometric(
  degree: number,
  conditions: readonly TrigonometricCondition[],
  smoothness: number,
  solve = solveLeastSquares,
) {
  const unknowns = 2 * degree + 1
  const rows: Float64Array[] = []
  const wanted = new Float64Array(conditions.length + unknowns)
  const total = conditions.reduce((sum, { weight = 1 }) => sum + weight, 0)
  for (const { x, value, length = 1, weight = 1 } of conditions) {
    let power = Math.sqrt(weight)
    wanted[rows.length] = power * value
    const row = new Float64Array(unknowns)
    row[0] = power
    for (let j = 1; j <= degree; j++) {
      power *= length
      row[2 * j - 1] = power * Math.cos(2 * Math.PI * j * x)
      row[2 * j] = -power * Math.sin(2 * Math.PI * j * x)
    }
    rows.push(row)
  }
  const weight = smoothness * Math.sqrt(total)
  for (let k = 0; k < unknowns; k++) {
    const row = new Float64Array(unknowns)
    row[k] = weight * Math.max(1, Math.ceil(k / 2))
    rows.push(row)
  }
  const solution = solve(rows, wanted)
  const [re, im] = [new Float64Array(degree + 1), new Float64Array(degree + 1)]
  re[0] = solution[0]!
  for (let j = 1; j <= degree; j++) {
    re[j] = solution[2 * j - 1]!
    im[j] = solution[2 * j]!
  }
  return { re, im }
}
