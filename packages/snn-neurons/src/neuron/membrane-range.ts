/**
 * Which membrane potentials can occur for bounded inputs. A polynomial step needs its range before any key exists, and a
 * quadratic neuron that leaves it never comes back. Exact spikes are assumed; add a margin for soft ones and for noise.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Neuron, QifNeuron } from '@he-ml/model/spiking'
import { numberArithmetic } from '../arithmetic/number-arithmetic.ts'
import { drift } from './recurrence.ts'

/** [lowest, highest]. */
export type Interval = readonly [number, number]

/** Where membrane potentials of a neuron can lie. */
export interface MembraneRange {
  /** Before the reset: the range a step has to be good on. Infinite where the membrane diverges. */
  readonly charged: Interval
  /** After the reset. */
  readonly membranePotential: Interval
  /** No bound holds for the asked time. */
  readonly diverges: boolean
}

/** Relative growth per step below which a range counts as settled. */
const SETTLED = 1e-12
const MOST_STEPS = 20_000
/** In units of the larger of 1 and the threshold: a quadratic membrane up here is on its way out. */
const DIVERGED = 1e30

/**
 * The hull of all membrane potentials that inputs within `input` can lead to, from u = 0, in `timeSteps` steps (default:
 * any number; after 20,000 without settling, a leaky neuron gets an outer bound and any other counts as diverging). Exact
 * for one step at a time: the drift is at most quadratic, so its extremes lie at the ends or the vertex.
 *
 * @throws InvalidArgumentError unless lowest <= highest and timeSteps >= 1
 * @example
 * ```ts
 * import { createNeuron, membraneRange } from '@he-ml/snn-neurons'
 * const qif = createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset: 'zero' })
 * console.log(membraneRange(qif, { input: [-3, 3] }).charged) // about -3.02 to 5.65
 * ```
 */
export function membraneRange(
  neuron: Neuron,
  { input, timeSteps = Infinity }: { readonly input: Interval; readonly timeSteps?: number },
): MembraneRange {
  const [low, high] = input
  if (!(low <= high && Number.isFinite(low) && Number.isFinite(high)))
    throw new InvalidArgumentError(`membraneRange: expected finite lowest <= highest inputs, got ${low} and ${high}`)
  if (!(timeSteps >= 1)) throw new InvalidArgumentError(`membraneRange: expected timeSteps >= 1, got ${timeSteps}`)
  const start = drift(numberArithmetic, neuron, 0)
  let charged: Interval = [start + low, start + high]
  let kept = afterReset(neuron, charged, [0, 0])
  for (let t = 1; t < Math.min(timeSteps, MOST_STEPS); t++) {
    const [least, most] = driftRange(neuron, kept)
    const next: Interval = [Math.min(charged[0], least + low), Math.max(charged[1], most + high)]
    if (Math.max(-next[0], next[1]) > DIVERGED * Math.max(1, neuron.threshold)) return unbounded()
    const growth = Math.max(charged[0] - next[0], next[1] - charged[1])
    charged = next
    kept = afterReset(neuron, charged, kept)
    if (growth <= SETTLED * (1 + next[1] - next[0])) return { charged, membranePotential: kept, diverges: false }
  }
  if (timeSteps > MOST_STEPS)
    return neuron.kind === 'lif' && neuron.beta < 1 ? leakyBound(neuron.beta, input) : unbounded()
  return { charged, membranePotential: kept, diverges: false }
}

/** For leaks too slow to settle: the geometric series of the extreme inputs; no reset moves a membrane away from 0. */
function leakyBound(beta: number, [low, high]: Interval): MembraneRange {
  const range: Interval = [Math.min(0, low) / (1 - beta), Math.max(0, high) / (1 - beta)]
  return { charged: range, membranePotential: range, diverges: false }
}

const unbounded = (): MembraneRange => ({
  charged: [-Infinity, Infinity],
  membranePotential: [-Infinity, Infinity],
  diverges: true,
})

/** Range of the drift over an interval of membrane potentials. */
function driftRange(neuron: Neuron, [low, high]: Interval): Interval {
  const points = [low, high]
  if (neuron.kind === 'qif') {
    const vertex = (neuron.u1 + neuron.u2) / 2
    if (vertex > low && vertex < high) points.push(vertex)
  }
  const values = points.map((u) => drift(numberArithmetic, neuron, u))
  return [Math.min(...values), Math.max(...values)]
}

/** Hull of what a reset makes of an interval, and of what there was before. */
function afterReset({ reset, threshold }: Neuron, [low, high]: Interval, before: Interval): Interval {
  if (reset === 'none') return hull([...before, low, high])
  const points = [...before]
  if (low < threshold) points.push(low, Math.min(high, threshold))
  if (high >= threshold)
    points.push(...(reset === 'zero' ? [0] : [Math.max(low, threshold) - threshold, high - threshold]))
  return hull(points)
}

const hull = (points: readonly number[]): Interval => [Math.min(...points), Math.max(...points)]

/**
 * Where a QIF neuron without reset rests under a constant input, and the level above which it runs away: the fixed points
 * of u = a (u - u1)(u - u2) + x. None for x > x_max, where it runs away from everywhere.
 */
export function qifFixedPoints(
  { a, u1, u2 }: QifNeuron,
  input: number,
):
  | {
      /** Where it rests: the lower fixed point. */
      rest: number
      /** Above this it runs away: the upper fixed point. */
      escape: number
    }
  | undefined {
  const slope = a * (u1 + u2) + 1
  const discriminant = slope * slope - 4 * a * (a * u1 * u2 + input)
  if (discriminant < 0) return undefined
  const root = Math.sqrt(discriminant)
  return { rest: (slope - root) / (2 * a), escape: (slope + root) / (2 * a) }
}

/**
 * The largest X such that inputs with |x| <= X never make the membrane diverge: Infinity for every LIF neuron with
 * beta < 1 and for every QIF neuron that a spike resets to 0. Otherwise found by bisection, from below; 0 if no input at all
 * is safe.
 */
export function largestSafeInput(neuron: Neuron): number {
  if (neuron.kind === 'lif' && neuron.beta < 1) return Infinity
  if (neuron.reset === 'zero' && neuron.kind === 'qif') return Infinity
  if (neuron.kind === 'lif') return 0
  const safe = (x: number) => !membraneRange(neuron, { input: [-x, x] }).diverges
  if (!safe(0)) return 0
  let high = neuron.threshold
  while (safe(high)) high *= 2
  let low = 0
  for (let i = 0; i < 60 && high - low > high * 2 ** -40; i++) {
    const middle = (low + high) / 2
    if (safe(middle)) low = middle
    else high = middle
  }
  return low
}
