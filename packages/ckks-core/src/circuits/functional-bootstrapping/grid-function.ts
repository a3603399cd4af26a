/**
 * Functions of few values: index k of a grid whose period is p steps. At the points that occur the function is interpolated exactly; of
 * what is left free the smoothest is taken, so that errors of the argument arrive small. Points that never occur are left out.
 */
import { InvalidArgumentError, PlanError } from '../../errors/errors.ts'
import { cleaningPolynomial } from './cleaning.ts'
import { PeriodicFunction } from './periodic-function.ts'
import { fitTrigonometric } from './trigonometric-fit.ts'

/** Points of a period. */
export const MAX_GRID_POINTS = 256

/** A point that occurs. */
export interface GridPoint {
  /** From 0; negative ones and those beyond the period count around it. */
  readonly index: number
  /** The function's value there. */
  readonly value: number
  /** How often it occurs, in any unit; default 1. */
  readonly weight?: number
}

/** Options of {@link gridFunction}. */
export interface GridFunctionOptions {
  /** Steps in the period: from 2 to {@link MAX_GRID_POINTS}. */
  readonly points: number
  /** What the function is at the points that occur; at the others it is free. */
  readonly values: readonly GridPoint[]
  /** Of the trigonometric polynomial. Default: the lowest 2^m - 1 that meets all values. */
  readonly degree?: number
  /**
   * For functions of two values: two levels more, and errors come out squared. The two values, or true for those that there are; both must be
   * named where only one occurs.
   */
  readonly cleaned?: boolean | readonly [low: number, high: number]
}

/** A function on a grid. */
export class GridFunction extends PeriodicFunction {
  /** Steps in the period. */
  readonly points: number
  /** The points that it interpolates, with their values. */
  readonly values: readonly GridPoint[]
  /** Root mean square of f' at the points as they occur, output per step of the grid; before cleaning, and in bits with it. */
  readonly slope: number
  /** Largest |f'| at a point that occurs. */
  readonly largestSlope: number
  /**
   * How much worse than on the average an error arrives where it arrives worst, of points that a 256th of all values or more lie on; at least
   * 1. Errors of what was refreshed are no normal ones: those that came by the steepest points are so much larger.
   */
  readonly steepness: number

  constructor(options: GridFunctionOptions) {
    const { points, values } = checked(options)
    const fitted = fit({ ...options, values })
    super(fitted)
    this.points = points
    this.values = Object.freeze(values.map((point) => Object.freeze({ ...point })))
    const slopes = values.map(({ index }) => Math.abs(slopeAt(fitted, index / points)) / points)
    const shares = values.map(({ weight = 1 }) => weight)
    const total = shares.reduce((a, b) => a + b, 0)
    this.slope = Math.sqrt(slopes.reduce((sum, slope, i) => sum + shares[i]! * slope ** 2, 0) / total)
    this.largestSlope = Math.max(...slopes)
    const common = slopes.filter((_, i) => shares[i]! >= COMMON * total)
    this.steepness = this.slope > 0 ? Math.max(1, Math.max(0, ...common) / this.slope) : 1
  }
}

/**
 * The function of a grid with the values given.
 *
 * @throws InvalidArgumentError for a wrong number of points, values that are not finite, one index twice, weights that are not
 *   positive, or cleaning of more than two values; PlanError ('range') when the degree asked for cannot meet all values
 * @example
 * ```ts
 * import { gridFunction } from '@he-ml/ckks-core'
 * // the step of a neuron whose membrane potential is one of 16 multiples of 1/4, with the threshold 1
 * const values = Array.from({ length: 16 }, (_, i) => ({ index: i - 8, value: i - 8 >= 4 ? 1 : 0 }))
 * const step = gridFunction({ points: 16, values, cleaned: true })
 * console.log(step.degree, step.depth, step.at(3 / 16), step.at(4 / 16)) // 7, 5 levels, 0 and 1
 * ```
 */
export const gridFunction = (options: GridFunctionOptions): GridFunction => new GridFunction(options)

/** Share of the values of a point that counts for the steepness. */
const COMMON = 1 / 256

/** Of the choice among polynomials that meet all values. */
const SMOOTHNESS = 2 ** -22

/** Values beside those of the interpolation by at most this count as met, relative to the largest. */
const MET = 1e-7

type Coefficients = ReturnType<typeof fitTrigonometric>

function fit({ points, values, degree, cleaned }: GridFunctionOptions) {
  const occurring = [...new Set(values.map(({ value }) => value))].sort((a, b) => a - b)
  const levels = typeof cleaned === 'object' ? [...cleaned].sort((a, b) => a - b) : occurring
  if (cleaned && (levels.length > 2 || occurring.some((value) => !levels.includes(value))))
    throw new InvalidArgumentError(
      `gridFunction: only functions of two values can be cleaned, got ${occurring.length} values`,
    )
  // between one value and itself cleaning is that value, whatever the argument
  if (cleaned && levels[0] === levels.at(-1))
    throw new InvalidArgumentError(
      `gridFunction: cleaning needs two different values, got ${levels[0]} alone: name both, as cleaned: [low, high]`,
    )
  const low = levels[0]!
  const high = levels.at(-1)!
  const wanted = cleaned ? values.map((p) => ({ ...p, value: p.value === high ? 1 : 0 })) : values
  const after = cleaned ? [cleaningPolynomial(low, high)] : []
  const met = occurring.length > 1 ? wanted : [...wanted, elsewhere(points, wanted, Boolean(cleaned))]
  const size = Math.max(...met.map(({ value }) => Math.abs(value)))
  for (const tried of degree === undefined ? degrees(met.length) : [degree]) {
    const coefficients = fitTrigonometric(
      tried,
      met.map(({ index, value }) => ({ x: index / points, value })),
      SMOOTHNESS,
    )
    const worst = Math.max(...wanted.map(({ index, value }) => Math.abs(valueAt(coefficients, index / points) - value)))
    if (worst <= MET * size) return { ...coefficients, after }
    if (degree !== undefined)
      throw new PlanError(
        'range',
        `gridFunction: degree ${degree} misses the values of ${values.length} points by up to ${worst.toPrecision(2)}: raise the degree, or leave out points that never occur`,
      )
  }
  throw new PlanError('range', `gridFunction: no degree meets the values of ${values.length} points`)
}

/**
 * Another value in the middle of the points that never occur: a function that is the same everywhere would leave a ciphertext that says
 * nothing of its argument, which anyone could read.
 */
function elsewhere(points: number, values: readonly GridPoint[], isBit: boolean): GridPoint {
  const taken = new Set(values.map(({ index }) => ((index % points) + points) % points))
  let best = { from: 0, length: 0 }
  for (let from = 0; from < points; from++) {
    let length = 0
    while (length < points && !taken.has((from + length) % points)) length++
    if (length > best.length) best = { from, length }
  }
  const { value } = values[0]!
  if (best.length === 0)
    throw new InvalidArgumentError(
      'gridFunction: all values are the same, and all points occur: a constant needs no bootstrap; leave out points that never occur',
    )
  return { index: best.from + Math.floor(best.length / 2), value: isBit ? 1 - value : value + 1 }
}

/** 2^m - 1, from the lowest that could do; the highest can meet any values. */
function* degrees(count: number): Iterable<number> {
  let degree = 1
  while (2 * degree + 2 < count) degree = 2 * degree + 1
  for (; degree < count; degree = 2 * degree + 1) yield degree
  yield degree
}

function checked({ points, values }: GridFunctionOptions): Pick<GridFunctionOptions, 'points' | 'values'> {
  if (!Number.isInteger(points) || points < 2 || points > MAX_GRID_POINTS)
    throw new InvalidArgumentError(
      `gridFunction: points must be an integer from 2 to ${MAX_GRID_POINTS}, got ${points}`,
    )
  if (values.length === 0) throw new InvalidArgumentError('gridFunction: at least one value is needed')
  const seen = new Set<number>()
  for (const { index, value, weight = 1 } of values) {
    if (!Number.isInteger(index))
      throw new InvalidArgumentError(`gridFunction: an index must be an integer, got ${index}`)
    if (!Number.isFinite(value))
      throw new InvalidArgumentError(`gridFunction: the value at ${index} must be finite, got ${value}`)
    if (!(weight > 0 && Number.isFinite(weight)))
      throw new InvalidArgumentError(`gridFunction: the weight at ${index} must be positive, got ${weight}`)
    const place = ((index % points) + points) % points
    if (seen.has(place))
      throw new InvalidArgumentError(
        `gridFunction: index ${index} is the same point of ${points} as one before: values beyond the period wrap round`,
      )
    seen.add(place)
  }
  return { points, values }
}

function valueAt({ re, im }: Coefficients, x: number): number {
  return re.reduce((sum, c, j) => sum + c * Math.cos(2 * Math.PI * j * x) - im[j]! * Math.sin(2 * Math.PI * j * x), 0)
}

function slopeAt({ re, im }: Coefficients, x: number): number {
  return re.reduce((sum, c, j) => {
    const turn = 2 * Math.PI * j
    return sum - turn * (c * Math.sin(turn * x) + im[j]! * Math.cos(turn * x))
  }, 0)
}
