/** The plain, JSON-serialisable description of a neuron, and its check. */
import { InvalidArgumentError, type SchemaFields } from '@he-ml/ckks-core'
import { z } from 'zod'

/** What a spike does to the membrane potential: u - threshold, 0, or nothing. */
export type Reset = 'subtract' | 'zero' | 'none'

/**
 * Leaky integrate-and-fire: u <- beta u + x. `beta` is what is left of u after a step, in [0, 1]; for a time constant tau
 * measured in steps it is exp(-1 / tau) (exact decay) or 1 - 1 / tau (one Euler step). beta = 1 does not leak.
 */
export interface LifNeuron {
  /** Names the form. */
  readonly kind: 'lif'
  /** What is left of u after a step, in [0, 1]. */
  readonly beta: number
  /** Firing level: the neuron fires where u >= threshold; positive. */
  readonly threshold: number
  /** What a spike does to u. */
  readonly reset: Reset
}

/**
 * Quadratic integrate-and-fire, discretised (arXiv 2510.05168): u <- a (u - u1)(u - u2) + x, with a > 0 and u1 <= u2.
 */
export interface QifNeuron {
  /** Names the form. */
  readonly kind: 'qif'
  /** Factor of the square, positive. */
  readonly a: number
  /** The lower zero of the parabola. */
  readonly u1: number
  /** The upper one; the same for both will do. */
  readonly u2: number
  /** Firing level: the neuron fires where u >= threshold; positive. */
  readonly threshold: number
  /** What a spike does to u. */
  readonly reset: Reset
}

/** A neuron of either kind. Membranes start at 0. */
export type Neuron = LifNeuron | QifNeuron

const threshold = z.number().positive()
const reset = z.enum(['subtract', 'zero', 'none'])
export const neuronSchema: z.ZodType<Neuron, Neuron> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('lif'),
    beta: z.number().min(0).max(1),
    threshold,
    reset,
  } satisfies SchemaFields<LifNeuron>),
  z
    .strictObject({
      kind: z.literal('qif'),
      a: z.number().positive(),
      u1: z.number(),
      u2: z.number(),
      threshold,
      reset,
    } satisfies SchemaFields<QifNeuron>)
    .refine(({ u1, u2 }) => u1 <= u2, { path: ['u2'], message: 'Expected u1 <= u2' }),
])

/**
 * A checked, frozen neuron from JSON or code.
 *
 * @throws InvalidArgumentError that names the field
 * @example
 * ```ts
 * import { createNeuron } from '@he-ml/model/spiking'
 * const lif = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' })
 * const qif = createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset: 'zero' })
 * console.log(JSON.stringify([lif, qif]))
 * ```
 */
export function createNeuron(description: unknown): Neuron {
  const result = neuronSchema.safeParse(description)
  if (result.success) return Object.freeze(result.data)
  const issue = result.error.issues[0]!
  throw new InvalidArgumentError(`neuron: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
}
