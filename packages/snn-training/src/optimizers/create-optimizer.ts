/** Optimisers: from gradients to the next weights, with a state that a checkpoint can hold. */
import { InvalidArgumentError, type SchemaFields } from '@he-ml/ckks-core'
import type { Defaulted } from '@he-ml/model/spiking'
import { z } from 'zod'
import type { Parameter } from '../layers/layer.ts'
import { Adam } from './adam.ts'
import type { Optimizer } from './optimizer.ts'
import { Sgd } from './sgd.ts'

const fraction = z.number().min(0).lt(1)
const weightDecay = z.number().min(0).default(0)

/** Stochastic gradient descent: v <- momentum v + (g + weightDecay w), w <- w - rate v. */
export interface SgdSettings {
  /** Names the form. */
  readonly kind: 'sgd'
  /** What is left of the velocity after a step, in [0, 1). Default 0. */
  readonly momentum: number
  /** Look ahead: w <- w - rate (g + weightDecay w + momentum v). Default false. */
  readonly nesterov: boolean
  /** Pull of decaying weights towards 0. Default 0. */
  readonly weightDecay: number
}

/** Adam (arXiv 1412.6980), or AdamW (arXiv 1711.05101), whose decay is apart from the gradient. */
export interface AdamSettings {
  /** Which of the two. */
  readonly kind: 'adam' | 'adamW'
  /** What is left of the mean gradient after a step, in [0, 1). Default 0.9. */
  readonly beta1: number
  /** What is left of the mean square after a step, in [0, 1). Default 0.999. */
  readonly beta2: number
  /** Added to the root mean square, positive. Default 1e-8. */
  readonly epsilon: number
  /** Pull of decaying weights towards 0. Default 0. */
  readonly weightDecay: number
}

/** SGD with momentum, Adam (decay as part of the gradient) or AdamW (decay apart from it). */
export type OptimizerDescription =
  | Defaulted<SgdSettings, 'momentum' | 'nesterov' | 'weightDecay'>
  | Defaulted<AdamSettings, 'beta1' | 'beta2' | 'epsilon' | 'weightDecay'>

export const optimizerSchema: z.ZodType<SgdSettings | AdamSettings, OptimizerDescription> = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('sgd'),
      momentum: fraction.default(0),
      nesterov: z.boolean().default(false),
      weightDecay,
    } satisfies SchemaFields<SgdSettings>),
    z.strictObject({
      kind: z.enum(['adam', 'adamW']),
      beta1: fraction.default(0.9),
      beta2: fraction.default(0.999),
      epsilon: z.number().positive().default(1e-8),
      weightDecay,
    } satisfies SchemaFields<AdamSettings>),
  ],
)

/**
 * An optimiser for these parameters.
 * @throws InvalidArgumentError that names the field
 */
export function createOptimizer(description: OptimizerDescription, parameters: readonly Parameter[]): Optimizer {
  const parsed = optimizerSchema.safeParse(description)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new InvalidArgumentError(`optimizer: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
  }
  return parsed.data.kind === 'sgd' ? new Sgd(parsed.data, parameters) : new Adam(parsed.data, parameters)
}
