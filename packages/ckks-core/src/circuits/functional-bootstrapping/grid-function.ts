/**
 * Functions of few values: index k of a grid whose period is p steps. At the points that occur the function is met exactly, and of what is
 * left free the smoothest is taken; or it is met closely wherever errors of the argument may lead. Points that never occur are left out.
 */
import { InvalidArgumentError } from '../../errors/errors.ts'
import { type Coefficients, fitGrid } from './grid-fit.ts'
import { type GridFunctionOptions, type GridPoint, MAX_GRID_POINTS } from './grid-options.ts'
import { PeriodicFunction } from './periodic-function.ts'

/** A function on a grid. */
export class GridFunction extends PeriodicFunction {
  /** Steps in the period. */
  readonly points: number
  /** The points that occur, with their values. */
  readonly values: readonly GridPoint[]
  /** Root mean square of f' at the points as they occur, output per step of the grid; before cleaning, and in bits with it. */
  readonly slope: number
  /** Largest |f'| at a point that occurs. */
  readonly largestSlope: number
  readonly #wanted: ReadonlyMap<number, number>

  constructor(options: GridFunctionOptions) {
    const { points, values } = checked(options)
    const fitted = fitGrid({ ...options, values })
    super(fitted)
    this.points = points
    this.#wanted = new Map(values.map(({ index, value }) => [placeOf(index, points), value]))
    this.values = Object.freeze(values.map((point) => Object.freeze({ ...point })))
    const slopes = values.map(({ index }) => Math.abs(slopeAt(fitted, index / points)) / points)
    const shares = values.map(({ weight = 1 }) => weight)
    const total = shares.reduce((a, b) => a + b, 0)
    this.slope = Math.sqrt(slopes.reduce((sum, slope, i) => sum + shares[i]! * slope ** 2, 0) / total)
    this.largestSlope = Math.max(...slopes)
  }

  override wantedAt(x: number): number {
    const index = Math.round(x * this.points)
    const isPoint = Math.abs(x * this.points - index) < 1e-6
    return (isPoint ? this.#wanted.get(placeOf(index, this.points)) : undefined) ?? this.at(x)
  }

  /**
   * How far a result may be off when the argument is off by so much, to either side of any point.
   * @param turned in steps
   * @returns in the function's unit
   */
  worstAt(turned: number): number {
    return this.values.reduce((worst, { index, value }) => {
      const off = [index - turned, index + turned].map((place) => Math.abs(this.at(place / this.points) - value))
      return Math.max(worst, ...off)
    }, 0)
  }

  /**
   * How errors arrive at the point where they arrive worst, what the function misses its value by included.
   * @param turned deviation of normal errors of the argument, in steps
   * @param lengthened of such of the length of exp(2 pi i x), in steps along the circle; default 0
   * @returns root mean square, in the function's unit
   */
  worstError(turned: number, lengthened = 0): number {
    const errors = NORMAL_ERRORS.flatMap(([z, share]) =>
      lengthened === 0
        ? [{ by: z * turned, length: 1, share }]
        : NORMAL_ERRORS.map(([r, of]) => ({
            by: z * turned,
            length: 1 + (2 * Math.PI * r * lengthened) / this.points,
            share: share * of,
          })),
    )
    return this.values.reduce((worst, { index, value }) => {
      const square = errors.reduce((sum, { by, length, share }) => {
        const angle = (2 * Math.PI * (index + by)) / this.points
        const off = this.atAngle({ re: length * Math.cos(angle), im: length * Math.sin(angle) }) - value
        return sum + share * off * off
      }, 0)
      return Math.max(worst, Math.sqrt(square))
    }, 0)
  }
}

/** Numbers that have the first moments of normal ones, with their shares: errors come in as polynomials of low degree. */
const NORMAL_ERRORS: readonly (readonly [z: number, share: number])[] = [
  [0, 8 / 15],
  ...[Math.sqrt(5 - Math.sqrt(10)), -Math.sqrt(5 - Math.sqrt(10))].map(
    (z) => [z, (7 + 2 * Math.sqrt(10)) / 60] as const,
  ),
  ...[Math.sqrt(5 + Math.sqrt(10)), -Math.sqrt(5 + Math.sqrt(10))].map(
    (z) => [z, (7 - 2 * Math.sqrt(10)) / 60] as const,
  ),
]

const placeOf = (index: number, points: number): number => ((index % points) + points) % points

/**
 * The function of a grid with the values given.
 *
 * @throws InvalidArgumentError for a wrong number of points, values that are not finite, one index twice, weights that are not
 *   positive, cleaning of more than two values, or too much noise; PlanError ('range') when the degree asked for cannot meet all values
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

/** Larger errors would make wrong decisions. */
const MOST_NOISE = 0.1

function checked({ points, values, noise = 0 }: GridFunctionOptions): Pick<GridFunctionOptions, 'points' | 'values'> {
  if (!Number.isInteger(points) || points < 2 || points > MAX_GRID_POINTS)
    throw new InvalidArgumentError(
      `gridFunction: points must be an integer from 2 to ${MAX_GRID_POINTS}, got ${points}`,
    )
  if (values.length === 0) throw new InvalidArgumentError('gridFunction: at least one value is needed')
  if (!(noise >= 0 && noise <= MOST_NOISE))
    throw new InvalidArgumentError(`gridFunction: noise must lie between 0 and ${MOST_NOISE} steps, got ${noise}`)
  const seen = new Set<number>()
  for (const { index, value, weight = 1 } of values) {
    if (!Number.isInteger(index))
      throw new InvalidArgumentError(`gridFunction: an index must be an integer, got ${index}`)
    if (!Number.isFinite(value))
      throw new InvalidArgumentError(`gridFunction: the value at ${index} must be finite, got ${value}`)
    if (!(weight > 0 && Number.isFinite(weight)))
      throw new InvalidArgumentError(`gridFunction: the weight at ${index} must be positive, got ${weight}`)
    const place = placeOf(index, points)
    if (seen.has(place))
      throw new InvalidArgumentError(
        `gridFunction: index ${index} is the same point of ${points} as one before: values beyond the period wrap round`,
      )
    seen.add(place)
  }
  return { points, values }
}

function slopeAt({ re, im }: Coefficients, x: number): number {
  return re.reduce((sum, c, j) => {
    const turn = 2 * Math.PI * j
    return sum - turn * (c * Math.sin(turn * x) + im[j]! * Math.cos(turn * x))
  }, 0)
}
