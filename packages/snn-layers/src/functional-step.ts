/**
 * The step exactly, by functional bootstrapping: charged membrane potentials are multiples of a grid's step, and spike and next membrane
 * are functions of the index. In the clear a charge is rounded to the grid, halves upwards; currents that are multiples of the step
 * leave the rounding to the membrane, where it is a part of the function.
 */
import {
  FormatError,
  type GridFunction,
  type GridPoint,
  gridFunction,
  InvalidArgumentError,
  PlanError,
} from '@he-ml/ckks-core'
import type { FittedForm, InputStatistics } from '@he-ml/model'
import { type Grid, nearestOnGrid } from '@he-ml/model/spiking'
import { drift, driftFromZero, numberArithmetic, resetMembrane } from '@he-ml/snn-neurons'
import type { ExactStep, SpikeCell, SpikeStep, StepFactors } from './spike-step.ts'

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
export function functionalSpikeStep({ points = 64 }: FunctionalStepOptions = {}): SpikeStep {
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
      const grid = cell.grid ?? gridFor(points, Math.max(Math.abs(min), Math.abs(max)) * margin)
      if (grid.count > (MOST_POINTS * 7) / 8)
        throw new PlanError(
          'range',
          `spike step: a grid of ${grid.count} points is too fine for a functional bootstrap: train on at most ${(MOST_POINTS * 7) / 8}`,
        )
      return new GridStep(cell, { grid, ...occurring(grid, statistics) })
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
}

const gridFor = (count: number, largest: number): Grid => ({ step: (2 * largest) / (count - 2), count })

/** Share of a grid's points by which more than what was seen is met on either side. */
const BEYOND_SEEN = 1 / 16
/** Share of the points that have values which is left free: functions come back there to where they begin. */
const FREE = 1 / 8
/** Points beyond the grid's ends that are met where the degree allows: they count as the ends. */
const BEYOND_ENDS = 2
/** Weight of points that were not seen, beside all that were. */
const UNSEEN = 2 ** -10

/** Where membranes occur, with some room; and a period in which that fits the lowest degree 2^m - 1. */
function occurring(grid: Grid, { min, max, histogram }: InputStatistics): Omit<GridForm, 'grid'> {
  const { step, count } = grid
  const index = (value: number) => Math.round(nearestOnGrid(value, grid) / step)
  const room = Math.max(1, Math.round(count * BEYOND_SEEN))
  let [low, high] = [Math.max(-count / 2, index(min) - room), Math.min(count / 2 - 1, index(max) + room)]
  // a trigonometric polynomial of degree 2^m - 1 meets that many values
  let capacity = 3
  while (capacity < high - low + 1) capacity = 2 * capacity + 1
  for (let i = 0; i < 2 * BEYOND_ENDS && high - low + 1 < capacity; i++) {
    if (i % 2 === 0) high++
    else low--
  }
  const valued = high - low + 1
  const counts = new Map<number, number>()
  const width = (max - min) / histogram.length
  let total = 0
  for (const [i, n] of histogram.entries()) {
    const at = index(min + (i + 0.5) * width)
    counts.set(at, (counts.get(at) ?? 0) + n)
    total += n
  }
  return {
    points: Math.min(MOST_POINTS, valued + Math.max(2, Math.round(valued * FREE))),
    first: low,
    weights: Array.from({ length: valued }, (_, i) => (counts.get(low + i) ?? 0) / (total || 1) + UNSEEN),
  }
}

class GridStep implements ExactStep {
  readonly kind = 'exact'
  readonly period: number
  readonly #cell: SpikeCell
  readonly #form: GridForm
  readonly #known = new Map<string, GridFunction>()

  constructor(cell: SpikeCell, form: GridForm) {
    this.#cell = cell
    this.#form = form
    this.period = form.grid.step * form.points
    // a cell whose functions do not exist is refused here, not when it is lowered
    this.functions({ spike: 1, membrane: 1 })
  }

  get form(): FittedForm {
    const { grid, points, first, weights } = this.#form
    return { grid, points, first, weights }
  }

  forward(charged: number) {
    const { spike, membrane } = this.functions({ spike: 1, membrane: 1 })
    const x = charged / this.period
    return { spike: spike.at(x), membrane: membrane.at(x) }
  }

  functions({ spike, membrane }: StepFactors) {
    return {
      spike: this.#function(`spike ${spike}`, true, (v) => spike * this.#fires(v)),
      membrane: this.#function(`membrane ${membrane}`, false, (v) => membrane * this.#rest(v)),
    }
  }

  overSteps(steps: number, spikeFactor: number): readonly GridFunction[] {
    const { grid } = this.#form
    const start = this.#round(driftFromZero(this.#cell.neuron))
    return Array.from({ length: steps }, (_, last) =>
      this.#function(`spike ${spikeFactor} at ${last}`, true, (first) => {
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

  #function(key: string, cleaned: boolean, f: (charged: number) => number): GridFunction {
    const known = this.#known.get(key)
    if (known) return known
    const { grid, points, first, weights } = this.#form
    const { step } = grid
    const values = weights.map((weight, i): GridPoint => {
      const index = first + i
      // what is beyond an end counts as the end
      return { index, value: f(nearestOnGrid(index * step, grid)), weight }
    })
    const made = gridFunction({ points, values, cleaned })
    this.#known.set(key, made)
    return made
  }
}

/** Shares of a step that floating point may be off by. */
const ROUND_OFF = 1e-6

function parseForm(form: FittedForm): GridForm {
  const { grid, points, first, weights } = form
  const { step, count } = (typeof grid === 'object' && grid !== null ? grid : {}) as Partial<Grid>
  const isCount = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 2 && (n as number) <= MOST_POINTS
  if (!(typeof step === 'number' && step > 0 && Number.isFinite(step) && isCount(count) && count % 2 === 0))
    throw new FormatError(
      `spike step: expected a grid of a positive step and an even count, got ${JSON.stringify(grid)}`,
    )
  if (!isCount(points))
    throw new FormatError(`spike step: expected 2 to ${MOST_POINTS} points, got ${JSON.stringify(points)}`)
  if (!(Number.isInteger(first) && Math.abs(first as number) <= 2 * count))
    throw new FormatError(`spike step: expected the index of the first point, got ${JSON.stringify(first)}`)
  const isWeight = (w: unknown): w is number => typeof w === 'number' && w > 0 && Number.isFinite(w)
  if (!(Array.isArray(weights) && weights.length > 1 && weights.length < points && weights.every(isWeight)))
    throw new FormatError(`spike step: expected 2 to ${points - 1} positive weights`)
  return { grid: { step, count }, points, first: first as number, weights }
}
