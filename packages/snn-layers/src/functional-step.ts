/**
 * The step exactly, by functional bootstrapping: charged membrane potentials are multiples of a grid's step, and spike and next membrane
 * are functions of the index. In the clear a charge is rounded to the grid, halves upwards; currents that are multiples of the step
 * leave the rounding to the membrane, where it is a part of the function.
 */
import {
  checkOptions,
  FormatError,
  type GridFunction,
  type GridPoint,
  gridFunction,
  InvalidArgumentError,
  optionCheck,
  PlanError,
} from '@he-ml/ckks-core'
import type { FittedForm, InputStatistics } from '@he-ml/model'
import { type Grid, nearestOnGrid } from '@he-ml/model/spiking'
import { drift, driftFromZero, numberArithmetic, resetMembrane } from '@he-ml/snn-neurons'
import type { ExactStep, SpikeCell, SpikeStep, StepFactors } from './spike-step.ts'

/** Options of {@link functionalSpikeStep}. */
export interface FunctionalStepOptions {
  /** Points of the grid for layers that were trained without one: a power of two from 4 to 128. Default 64. */
  readonly points?: number
}

const MOST_POINTS = 256

/**
 * The step by functional bootstrapping.
 *
 * @throws InvalidArgumentError for a number of points that is no power of two from 4 to 128
 * @example
 * ```ts
 * import { functionalSpikeStep } from '@he-ml/snn-layers'
 * const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const
 * const statistics = { count: 8, min: -1, max: 1.5, mean: 0, std: 1, histogram: new Float64Array(8).fill(1) }
 * const cell = { neuron, grid: { step: 0.25, count: 16 } }
 * const step = functionalSpikeStep().fit(cell, statistics, { margin: 1.25, degree: 15 })
 * if (step.kind === 'exact') console.log(step.period, step.forward(1.25)) // a spike, and 0.25 / 2 rounded to 0.25
 * ```
 */
export function functionalSpikeStep(options: FunctionalStepOptions = {}): SpikeStep {
  checkOptions('functionalSpikeStep', options, { points: optionCheck.anything })
  const { points = 64 } = options
  if (!(Number.isInteger(Math.log2(points)) && points >= 4 && points <= MOST_POINTS / 2))
    throw new InvalidArgumentError(
      `spike step: points must be a power of two from 4 to ${MOST_POINTS / 2}, got ${points}`,
    )
  return {
    kind: 'functional',
    options: { points },
    fit(cell, statistics, { margin }) {
      const { count, min, max } = statistics
      if (!(count > 0) || !Number.isFinite(min) || !Number.isFinite(max) || min > max)
        throw new PlanError('range', `spike step: no usable statistics (${count} values seen)`)
      if (!(margin >= 1) || !Number.isFinite(margin))
        throw new InvalidArgumentError(`spike step: the margin must be at least 1, got ${margin}`)
      const { offGrid = 0 } = statistics
      if (cell.grid && offGrid > ON_GRID)
        throw new PlanError(
          'range',
          `spike step: currents lie up to ${offGrid.toPrecision(2)} steps off the grid of ${cell.grid.step} that the layer was declared with, where no decision is sure: make its weights, and what they multiply, multiples of the step (an input grid rounds what clients encrypt), or leave the grid out and have charges rounded`,
        )
      const grid = cell.grid ?? gridFor(points, Math.max(Math.abs(min), Math.abs(max)) * margin)
      if (grid.count > MOST_VALUED)
        throw new PlanError(
          'range',
          `spike step: a grid of ${grid.count} points is too fine for a functional bootstrap: train on at most ${MOST_VALUED}`,
        )
      // charges of no grid lie anywhere, half-way between points too
      return new GridStep(cell, { grid, ...occurring(grid, statistics), ...(cell.grid ? {} : { beyond: 1 }) })
    },
    restore(cell, form) {
      return new GridStep(cell, parseForm(form))
    },
  }
}

/** A grid and where on it membranes occur. */
interface GridForm {
  readonly grid: Grid
  /** Steps in a period of the functions. */
  readonly points: number
  /** Index of the first point that has a value, and how often it and those after it occur; the rest of the period is free. */
  readonly first: number
  readonly weights: readonly number[]
  /** Share of the charges seen that lie on none of these points. */
  readonly beyond: number
}

/** Steps off a declared grid that floating point and rounded weights may leave: a fiftieth of what takes a decision to the next point. */
const ON_GRID = 0.01

const gridFor = (count: number, largest: number): Grid => ({ step: (2 * largest) / (count - 2), count })

/** Part of a period that is left free: functions come back there to where they begin. */
const FREE = 1 / 16
/** Share of all membranes that may lie where functions are free, at the ends of what was seen, where that saves a level. */
const RARE = 2 ** -22
/** Weight of points that were not seen, beside all that were. */
const UNSEEN = 2 ** -10

/**
 * The shortest period 2^k that holds the points where membranes occur: functions with 2^k less a few values have degree 2^(k-1) - 1. What
 * room is left goes to points that were not seen, on either side.
 */
function occurring(grid: Grid, { min, max, histogram }: InputStatistics): Omit<GridForm, 'grid'> {
  // charges beyond the grid's ends count as the ends, and need points of their own all the same
  const wide = { step: grid.step, count: 2 * MOST_INDEX }
  const index = (value: number) => Math.round(nearestOnGrid(value, wide) / grid.step)
  const [first, last] = [index(min), index(max)]
  const counts = new Float64Array(last - first + 1)
  const width = (max - min) / histogram.length
  for (const [i, n] of histogram.entries()) counts[index(min + (i + 0.5) * width) - first]! += n
  const total = counts.reduce((a, b) => a + b, 0) || 1
  let points = 4
  let window = { first, last, lost: 0 }
  for (; points < MOST_POINTS; points *= 2) {
    window = trimmed(counts, first, points - freePoints(points), RARE * total)
    if (window.last - window.first + 1 <= points - freePoints(points)) break
  }
  if (points === MOST_POINTS) window = trimmed(counts, first, points - freePoints(points), RARE * total)
  if (window.last - window.first + 1 > points - freePoints(points))
    throw new PlanError(
      'range',
      `spike step: charges occur from ${min.toPrecision(3)} to ${max.toPrecision(3)}, more than the ${points - freePoints(points)} steps of ${grid.step} that a functional bootstrap can tell apart: train with smaller weights, or on a coarser grid`,
    )
  const valued = points - freePoints(points)
  const low = window.first - Math.floor((valued - (window.last - window.first + 1)) / 2)
  return {
    points,
    first: low,
    weights: Array.from({ length: valued }, (_, i) => (counts[low + i - first] ?? 0) / total + UNSEEN),
    beyond: window.lost / total,
  }
}

/** Indices further out than this are beyond any period. */
const MOST_INDEX = 2 * MOST_POINTS

const freePoints = (points: number): number => Math.max(2, Math.round(points * FREE))
/** Points of the longest period that have values. */
const MOST_VALUED = MOST_POINTS - freePoints(MOST_POINTS)

/** What is left when ends are given up, the rarer one first, until so many points do or too much would be lost. */
function trimmed(counts: Float64Array, first: number, wanted: number, most: number) {
  let [low, high, lost] = [0, counts.length - 1, 0]
  while (high - low + 1 > wanted) {
    const [left, right] = [counts[low]!, counts[high]!]
    if (lost + Math.min(left, right) > most) break
    lost += Math.min(left, right)
    if (left <= right) low++
    else high--
  }
  return { first: first + low, last: first + high, lost }
}

class GridStep implements ExactStep {
  readonly kind = 'exact'
  readonly period: number
  readonly start: number
  readonly #cell: SpikeCell
  readonly #form: GridForm
  readonly #known = new Map<string, GridFunction>()

  constructor(cell: SpikeCell, form: GridForm) {
    this.#cell = cell
    this.#form = form
    this.period = form.grid.step * form.points
    this.start = this.#round(driftFromZero(cell.neuron))
    // a cell whose functions do not exist is refused here, not when it is lowered
    this.functions({ spike: 1, membrane: 1 })
  }

  get form(): FittedForm {
    const { grid, points, first, weights, beyond } = this.#form
    return { grid, points, first, weights, beyond }
  }

  get range(): readonly [low: number, high: number] {
    const { grid, first, weights } = this.#form
    return [(first - 0.5) * grid.step, (first + weights.length - 0.5) * grid.step]
  }

  get beyond(): number {
    return this.#form.beyond
  }

  forward(charged: number) {
    const { spike, membrane } = this.functions({ spike: 1, membrane: 1 })
    const x = charged / this.period
    return { spike: spike.at(x), membrane: membrane.at(x) }
  }

  functions({ spike, membrane }: StepFactors) {
    return {
      spike: this.#function(`spike ${spike}`, [0, spike], (v) => spike * this.#fires(v)),
      membrane: this.#function(`membrane ${membrane}`, undefined, (v) => membrane * this.#rest(v)),
    }
  }

  overSteps(steps: number, spikeFactor: number): readonly GridFunction[] {
    const { grid } = this.#form
    const { start } = this
    return Array.from({ length: steps }, (_, last) =>
      this.#function(`spike ${spikeFactor} at ${last}`, [0, spikeFactor], (first) => {
        // the first charge tells the current
        const current = first - start
        let charged = first
        for (let t = 0; t < last; t++) charged = nearestOnGrid(this.#rest(charged) + current, grid)
        return spikeFactor * this.#fires(charged)
      }),
    )
  }

  #fires(charged: number): number {
    return charged >= this.#cell.neuron.threshold - ROUND_OFF * this.#form.grid.step ? 1 : 0
  }
  /** After reset and drift, on the grid. */
  #rest(charged: number): number {
    const { neuron } = this.#cell
    return this.#round(
      drift(numberArithmetic, neuron, resetMembrane(numberArithmetic, neuron, charged, this.#fires(charged))),
    )
  }
  #round(value: number): number {
    return nearestOnGrid(value, this.#form.grid)
  }

  #function(
    key: string,
    levels: readonly [low: number, high: number] | undefined,
    f: (charged: number) => number,
  ): GridFunction {
    const known = this.#known.get(key)
    if (known) return known
    const { grid, points, first, weights } = this.#form
    const { step } = grid
    const values = weights.map((weight, i): GridPoint => {
      const index = first + i
      // what is beyond an end counts as the end
      return { index, value: f(nearestOnGrid(index * step, grid)), weight }
    })
    const made = gridFunction({ points, values, ...(levels ? { cleaned: levels } : { noise: NOISE }) })
    this.#known.set(key, made)
    return made
  }
}

/**
 * Errors that membranes' functions are made for, in steps. At the worst point a third of an error of 0.04 steps comes out again, and all of one
 * of an eighth: smaller ones have died out a few steps later, however often a membrane lies beside the threshold. It takes a level
 * of the two that cleaning takes beside it.
 */
const NOISE = 0.03

/** Shares of a step that floating point may be off by. */
const ROUND_OFF = 1e-6

function parseForm(form: FittedForm): GridForm {
  const { grid, points, first, weights, beyond = 0 } = form
  const { step, count } = (typeof grid === 'object' && grid !== null ? grid : {}) as Partial<Grid>
  const isCount = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 2 && (n as number) <= MOST_POINTS
  if (!(typeof step === 'number' && step > 0 && Number.isFinite(step) && isCount(count) && count % 2 === 0))
    throw new FormatError(
      `spike step: expected a grid of a positive step and an even count, got ${JSON.stringify(grid)}`,
    )
  if (!isCount(points))
    throw new FormatError(`spike step: expected 2 to ${MOST_POINTS} points, got ${JSON.stringify(points)}`)
  if (!(Number.isInteger(first) && Math.abs(first as number) <= MOST_INDEX))
    throw new FormatError(`spike step: expected the index of the first point, got ${JSON.stringify(first)}`)
  const isWeight = (w: unknown): w is number => typeof w === 'number' && w > 0 && Number.isFinite(w)
  if (!(Array.isArray(weights) && weights.length > 1 && weights.length < points && weights.every(isWeight)))
    throw new FormatError(`spike step: expected 2 to ${points - 1} positive weights`)
  if (!(typeof beyond === 'number' && beyond >= 0 && beyond <= 1))
    throw new FormatError(`spike step: expected the share of charges beyond its points, got ${JSON.stringify(beyond)}`)
  return { grid: { step, count }, points, first: first as number, weights, beyond }
}
