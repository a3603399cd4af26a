/** Functions of real values: a trigonometric polynomial that is close to them on a part of the period, and free on the rest. */
import { InvalidArgumentError, PlanError } from '../../errors/errors.ts'
import { PeriodicFunction } from './periodic-function.ts'
import { fitTrigonometric } from './trigonometric-fit.ts'

/** Options of {@link fourierExtension}. */
export interface FourierExtensionOptions {
  /** Of the argument, in its own units. */
  readonly period: number
  /** Where the function is wanted: shorter than the period. The closer to all of it, the higher the degree that it takes. */
  readonly range: readonly [lo: number, hi: number]
  /** Of the trigonometric polynomial, at least 1. */
  readonly degree: number
  /** Largest error that will do; default any. */
  readonly tolerance?: number
}

/** A function of real values; `at` takes the argument in units of the period. */
export class FourierExtension extends PeriodicFunction {
  /** Of the argument, in its own units. */
  readonly period: number
  /** Where the function is met; elsewhere its values are anything. */
  readonly range: readonly [lo: number, hi: number]
  /** Largest difference from the function on the range. */
  readonly error: number

  constructor(f: (value: number) => number, options: FourierExtensionOptions) {
    const { period, range, degree, tolerance = Number.POSITIVE_INFINITY } = checkedExtension(options)
    const at = (i: number, count: number): number => {
      // nodes crowd at the ends, where errors are largest
      const middle = (range[0] + range[1]) / 2
      return middle - ((range[1] - range[0]) / 2) * Math.cos((Math.PI * (i + 0.5)) / count)
    }
    const count = SAMPLES * (2 * degree + 1)
    const samples = Array.from({ length: count }, (_, i) => at(i, count))
    const size = samples.reduce((most, u) => Math.max(most, Math.abs(f(u))), 0)
    if (!(Number.isFinite(size) && size > 0))
      throw new InvalidArgumentError('fourierExtension: the function must be finite and not 0 on the whole range')
    super(
      fitTrigonometric(
        degree,
        samples.map((u) => ({ x: u / period, value: f(u) })),
        SMOOTHNESS,
      ),
    )
    this.period = period
    this.range = range
    let error = 0
    for (let i = 0; i < 3 * count; i++) {
      const u = at(i, 3 * count)
      error = Math.max(error, Math.abs(this.at(u / period) - f(u)))
    }
    this.error = error
    if (error > tolerance)
      throw new PlanError(
        'range',
        `fourierExtension: degree ${degree} is ${error.toPrecision(2)} off on [${range}] of a period of ${period}, ${tolerance} wanted: raise the degree or the period`,
      )
  }
}

/** Errors of angles that extensions are made for: of the exponential's series, mostly. */
const SMOOTHNESS = 2 ** -13

/** Samples for each coefficient. */
const SAMPLES = 8

/**
 * A trigonometric polynomial for a function of real values (ReLU, a clipped sum).
 *
 * @throws InvalidArgumentError for a range that is not shorter than the period, or a function that is not finite there; PlanError
 *   ('range') when it is further off than the tolerance
 * @example
 * ```ts
 * import { fourierExtension } from '@he-ml/ckks-core'
 * const relu = fourierExtension((u) => Math.max(0, u), { period: 4, range: [-1, 1], degree: 31 })
 * console.log(relu.error, relu.at(0.5 / 4)) // 0.01 and about 0.5
 * ```
 */
export const fourierExtension = (f: (value: number) => number, options: FourierExtensionOptions): FourierExtension =>
  new FourierExtension(f, options)

function checkedExtension(options: FourierExtensionOptions): FourierExtensionOptions {
  const { period, range, degree } = options
  if (!(period > 0 && Number.isFinite(period) && range[1] > range[0] && range[1] - range[0] < period))
    throw new InvalidArgumentError(
      `fourierExtension: expected a range shorter than the period, got [${range}] and ${period}`,
    )
  if (!Number.isInteger(degree) || degree < 1 || degree > 127)
    throw new InvalidArgumentError(`fourierExtension: degree must be from 1 to 127, got ${degree}`)
  return options
}
