/** Trigonometric polynomials for the functions of grids: through their values, or as close to them as errors of the argument let them be. */
import { InvalidArgumentError, PlanError } from '../../errors/errors.ts'
import { cleaningPolynomial } from './cleaning.ts'
import type { GridFunctionOptions, GridPoint } from './grid-options.ts'
import { solveNormalEquations } from './normal-equations.ts'
import { fitTrigonometric, type TrigonometricCondition } from './trigonometric-fit.ts'

/** Of the choice among polynomials that meet all values. */
const SMOOTHNESS = 2 ** -22

/** Values beside those of the interpolation by at most this count as met, relative to the largest. */
const MET = 1e-7

/** The same for those that are to be close to the values beside the points too: an error of an angle of 2^-18. */
const SMOOTHNESS_IN_NOISE = 2 ** -18

/** Of exp(2 pi i x) errors change the length too, by a fourth of what they turn it: the half of what its evaluation adds. */
const LENGTHENED = 1 / 4

/** Share of the usual difference of two neighbours by which a value may be missed. */
const NEAR = 1 / 4

/** Errors that are tried, in their deviations, and how much they count. */
const ERRORS = [
  { turned: 1, lengthened: 0, weight: 0.6 },
  { turned: 2, lengthened: 0, weight: 0.15 },
  { turned: 0, lengthened: 1.4 * LENGTHENED, weight: 0.6 },
]

export type Coefficients = ReturnType<typeof fitTrigonometric>

/** @throws InvalidArgumentError, PlanError: see `gridFunction` */
export function fitGrid(options: GridFunctionOptions) {
  const { points, values, degree, cleaned, noise = 0 } = options
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
  const allowed = noise > 0 ? NEAR * usualDifference(met) : MET * Math.max(...met.map(({ value }) => Math.abs(value)))
  for (const tried of degree === undefined ? degrees(noise > 0 ? 2 * met.length : met.length) : [degree]) {
    const coefficients =
      noise > 0
        ? fitTrigonometric(tried, beside(points, met, noise), SMOOTHNESS_IN_NOISE, solveNormalEquations)
        : fitTrigonometric(tried, at(points, met), SMOOTHNESS)
    const worst = Math.max(...wanted.map(({ index, value }) => Math.abs(valueAt(coefficients, index / points) - value)))
    if (worst <= allowed) return { ...coefficients, after }
    if (degree !== undefined)
      throw new PlanError(
        'range',
        `gridFunction: degree ${degree} misses the values of ${values.length} points by up to ${worst.toPrecision(2)}: raise the degree, or leave out points that never occur`,
      )
  }
  throw new PlanError('range', `gridFunction: no degree meets the values of ${values.length} points`)
}

const at = (points: number, values: readonly GridPoint[]): TrigonometricCondition[] =>
  values.map(({ index, value }) => ({ x: index / points, value }))

/** A value is wanted wherever an error may take its point. */
const beside = (points: number, values: readonly GridPoint[], noise: number): TrigonometricCondition[] =>
  values.flatMap(({ index, value }) => [
    { x: index / points, value },
    ...ERRORS.flatMap(({ turned, lengthened, weight }) =>
      [noise, -noise].map((by) => ({
        x: (index + by * turned) / points,
        length: 1 + (2 * Math.PI * by * lengthened) / points,
        value,
        weight,
      })),
    ),
  ])

/** Root mean square from one point to the next: what errors of a step would cost. */
function usualDifference(values: readonly GridPoint[]): number {
  const inOrder = values.toSorted((a, b) => a.index - b.index)
  const squares = inOrder.slice(1).map(({ value }, i) => (value - inOrder[i]!.value) ** 2)
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / Math.max(1, squares.length))
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

function valueAt({ re, im }: Coefficients, x: number): number {
  return re.reduce((sum, c, j) => sum + c * Math.cos(2 * Math.PI * j * x) - im[j]! * Math.sin(2 * Math.PI * j * x), 0)
}
