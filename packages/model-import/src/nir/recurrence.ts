/**
 * From NIR's differential equations to the recurrence per time step and back: the one place where tau becomes beta.
 *
 * tau dv/dt = (v_leak - v) + r i, with a constant input i over a step of dt:
 * - exactly, v <- beta v + (1 - beta) (v_leak + r i) with beta = exp(-dt / tau);
 * - by Euler's forward step, the same with beta = 1 - dt / tau, which is what most frameworks that write NIR files compute
 *   (so it gives back the numbers that were trained with), and needs dt <= tau.
 *
 * IF, dv/dt = r i, is v <- v + dt r i either way.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { NirArray, NirIf, NirLi, NirLif } from './types.ts'

/** u <- beta u + gain x + offset; one value per neuron in each. */
export interface Recurrence {
  /** Decay per step, in [0, 1]; leak = 1 - beta. */
  readonly beta: NirArray
  /** What the input is multiplied by: fold it into the weights and biases before the neuron. */
  readonly gain: NirArray
  /** Added in every step: fold it into the bias before the neuron. */
  readonly offset: NirArray
}

/** How differential equations become steps. */
export interface RecurrenceOptions {
  /** Length of a time step in seconds. */
  readonly dt: number
  /** Default 'euler'. */
  readonly method?: 'euler' | 'exact'
}

/**
 * @throws InvalidArgumentError for a dt that is not positive, or beyond tau for Euler's step
 * @example
 * ```ts
 * import { neuronRecurrence } from '@he-ml/model-import'
 * const one = (value: number) => ({ shape: [1], data: [value] })
 * const li = { type: 'LI', tau: one(0.01), r: one(10), v_leak: one(0) } as const
 * console.log(neuronRecurrence(li, { dt: 0.001 }).beta.data[0]) // 0.9
 * ```
 */
export function neuronRecurrence(
  node: NirLif | NirLi | NirIf,
  { dt, method = 'euler' }: RecurrenceOptions,
): Recurrence {
  if (!(dt > 0 && Number.isFinite(dt))) throw new InvalidArgumentError(`NIR: expected a dt above 0 s, got ${dt}`)
  const { shape } = node.r
  const array = (valueAt: (i: number) => number): NirArray => ({ shape, data: node.r.data.map((_, i) => valueAt(i)) })
  if (node.type === 'IF')
    return { beta: array(() => 1), gain: array((i) => dt * node.r.data[i]!), offset: array(() => 0) }
  const betas = node.tau.data.map((tau, i) => {
    if (method === 'exact') return Math.exp(-dt / tau)
    if (dt > tau)
      throw new InvalidArgumentError(
        `NIR: tau of neuron ${i} is ${tau} s, below dt ${dt} s: use a shorter dt, or method 'exact'`,
      )
    return 1 - dt / tau
  })
  return {
    beta: array((i) => betas[i]!),
    gain: array((i) => (1 - betas[i]!) * node.r.data[i]!),
    offset: array((i) => (1 - betas[i]!) * node.v_leak.data[i]!),
  }
}

/**
 * tau and r of a neuron u <- beta u + x: the inverse of {@link neuronRecurrence} with gain 1 and offset 0.
 * @param beta in (0, 1); for beta = 1 write an IF with r = 1 / dt
 * @throws InvalidArgumentError for another beta, or a dt that is not positive
 */
export function neuronConstants(
  beta: number,
  { dt, method = 'euler' }: RecurrenceOptions,
): {
  /** Time constant in seconds. */
  tau: number
  /** Resistance: the gain of the input. */
  r: number
} {
  if (!(beta > 0 && beta < 1)) throw new InvalidArgumentError(`NIR: expected beta in (0, 1), got ${beta}: use IF for 1`)
  if (!(dt > 0 && Number.isFinite(dt))) throw new InvalidArgumentError(`NIR: expected a dt above 0 s, got ${dt}`)
  return { tau: method === 'exact' ? -dt / Math.log(beta) : dt / (1 - beta), r: 1 / (1 - beta) }
}
