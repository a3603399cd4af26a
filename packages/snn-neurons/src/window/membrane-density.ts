/**
 * How the membrane potential is distributed when threshold-dependent batch normalisation keeps the input at
 * N(mean, (alpha threshold)^2), independent over time. Exact up to the grid: a step takes every cell's mass through reset
 * and drift and spreads it with the input's normal density, so the density is smooth although resets jump.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Neuron } from '@he-ml/model/spiking'
import { numberArithmetic } from '../arithmetic/number-arithmetic.ts'
import { membraneRange } from '../neuron/membrane-range.ts'
import { drift, resetMembrane } from '../neuron/recurrence.ts'

/** Input of a normalised layer, and for how long it runs. */
export interface InputStatistics {
  /** Standard deviation of the input in units of the threshold; default 1. */
  readonly alpha?: number
  /** Mean of the input, default 0. */
  readonly inputMean?: number
  /** How many steps there are. */
  readonly timeSteps: number
}

/** Distribution of the membrane potential before the reset, averaged over the time steps. */
export interface MembraneDensity {
  /** Cells of equal width; the threshold is a border between two. */
  readonly cell: number
  /** Left border of the first cell. */
  readonly start: number
  /** Probability per unit of u, one value per cell. */
  readonly density: Float64Array
  /** Of the membrane. */
  readonly mean: number
  /** Standard deviation of the membrane. */
  readonly deviation: number
  /** Density at the threshold: the derivative of the firing probability with respect to a shift of the membrane. */
  readonly atThreshold: number
  /** Probability of a spike in a step. */
  readonly firingProbability: number
  /** Probability of having left the grid for good: runaway of a QIF neuron without reset to zero. */
  readonly escaped: number
}

/** Cells per standard deviation of the input. */
const RESOLUTION = 16
/** Inputs beyond this many standard deviations are left out: probability 2.6e-12. */
const REACH = 7
/** The grid ends this many input deviations from 0 and from the threshold, if the neuron's own range does not end before. */
const FARTHEST = 60

/**
 * Propagates the density from u = 0 through `timeSteps` steps.
 *
 * @throws InvalidArgumentError unless alpha and timeSteps are positive
 * @example
 * ```ts
 * import { createNeuron, membraneDensity } from '@he-ml/snn-neurons'
 * const neuron = createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset: 'subtract' })
 * const { mean, deviation, firingProbability } = membraneDensity(neuron, { timeSteps: 4 })
 * console.log(mean, deviation, firingProbability) // about 0.13, 1.05, 0.20
 * ```
 */
export function membraneDensity(
  neuron: Neuron,
  { alpha = 1, inputMean = 0, timeSteps }: InputStatistics,
): MembraneDensity {
  if (!(alpha > 0 && Number.isFinite(alpha) && Number.isFinite(inputMean)))
    throw new InvalidArgumentError(`membrane density: expected alpha > 0 and a finite mean, got ${alpha}, ${inputMean}`)
  if (!(Number.isInteger(timeSteps) && timeSteps >= 1))
    throw new InvalidArgumentError(`membrane density: expected a positive number of time steps, got ${timeSteps}`)
  const { threshold } = neuron
  const sigma = alpha * threshold
  const cell = sigma / RESOLUTION
  const reach = REACH * sigma
  const range = membraneRange(neuron, { input: [inputMean - reach, inputMean + reach], timeSteps })
  const farthest = FARTHEST * sigma + Math.abs(inputMean)
  // whole cells on both sides of the threshold
  const below = Math.ceil((threshold - Math.max(range.charged[0], -farthest)) / cell)
  const above = Math.ceil((Math.min(range.charged[1], threshold + farthest) - threshold) / cell)
  const start = threshold - below * cell
  const count = below + Math.max(1, above)
  const centre = (i: number) => start + (i + 0.5) * cell

  const spread = (out: Float64Array, mass: number, from: number) => {
    const first = Math.max(0, Math.floor((from - reach - start) / cell))
    const last = Math.min(count - 1, Math.floor((from + reach - start) / cell))
    for (let j = first; j <= last; j++) out[j]! += mass * normalDensity((centre(j) - from) / sigma)
  }
  const total = new Float64Array(count)
  let density = new Float64Array(count)
  spread(density, 1 / sigma, drift(numberArithmetic, neuron, 0) + inputMean)
  for (let t = 0; ; t++) {
    for (let i = 0; i < count; i++) total[i]! += density[i]! / timeSteps
    if (t === timeSteps - 1) break
    const next = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const mass = density[i]! * cell
      if (mass < 1e-18) continue
      const u = resetMembrane(numberArithmetic, neuron, centre(i), i >= below ? 1 : 0)
      spread(next, mass / sigma, drift(numberArithmetic, neuron, u) + inputMean)
    }
    density = next
  }
  return summarise({ cell, start, density: total, below })
}

/** Density of N(0, 1). */
export const normalDensity = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)

function summarise(grid: { cell: number; start: number; density: Float64Array; below: number }): MembraneDensity {
  const { cell, start, density, below } = grid
  let [mass, first, second, above] = [0, 0, 0, 0]
  for (const [i, p] of density.entries()) {
    const u = start + (i + 0.5) * cell
    mass += p * cell
    first += p * cell * u
    second += p * cell * u * u
    if (i >= below) above += p * cell
  }
  const mean = first / mass
  return {
    cell,
    start,
    density,
    mean,
    deviation: Math.sqrt(second / mass - mean * mean),
    atThreshold: (density[below - 1]! + density[below]!) / 2,
    firingProbability: above + Math.max(0, 1 - mass),
    escaped: Math.max(0, 1 - mass),
  }
}
