/** Optimisers: from gradients to the next weights, with a state that a checkpoint can hold. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { z } from 'zod'
import type { Parameter } from '../layers/layer.ts'
import { Adam } from './adam.ts'
import type { Optimizer } from './optimizer.ts'
import { Sgd } from './sgd.ts'

const fraction = z.number().min(0).lt(1)
const weightDecay = z.number().min(0).default(0)
export const optimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd'),
    momentum: fraction.default(0),
    nesterov: z.boolean().default(false),
    weightDecay,
  }),
  z.strictObject({
    kind: z.enum(['adam', 'adamW']),
    beta1: fraction.default(0.9),
    beta2: fraction.default(0.999),
    epsilon: z.number().positive().default(1e-8),
    weightDecay,
  }),
])
/** SGD with momentum, Adam (decay as part of the gradient) or AdamW (decay apart from it). */
export type OptimizerDescription = z.input<typeof optimizerSchema>

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
