/** Losses as plain data, for recipes and checkpoints. */
import { InvalidArgumentError, type SchemaFields } from '@he-ml/ckks-core'
import type { Defaulted } from '@he-ml/model/spiking'
import { z } from 'zod'
import type { Signal } from '../tensor/signal.ts'
import { crossEntropy, type LossResult } from './cross-entropy.ts'
import { type TetOptions, temporalEfficientTraining } from './tet.ts'

/** Cross entropy of the mean over time of the network's output. */
export interface CrossEntropyLoss {
  /** Names the form. */
  readonly kind: 'crossEntropy'
  /** Label smoothing in [0, 1): the target is (1 - smoothing) onehot + smoothing / classes. Default 0. */
  readonly smoothing: number
}

/** Temporal efficient training (arXiv 2202.11946): the cross entropies of all time steps, and a term that holds back outliers. */
export interface TetLoss extends TetOptions {
  /** Names the form. */
  readonly kind: 'tet'
}

/** Cross entropy of the mean over time, or temporal efficient training. */
export type LossDescription = Defaulted<CrossEntropyLoss, 'smoothing'> | TetLoss

export const lossSchema: z.ZodType<CrossEntropyLoss | TetLoss, LossDescription> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('crossEntropy'),
    smoothing: z.number().min(0).lt(1).default(0),
  } satisfies SchemaFields<CrossEntropyLoss>),
  z.strictObject({
    kind: z.literal('tet'),
    lambda: z.number().min(0).max(1),
    target: z.number(),
  } satisfies SchemaFields<TetLoss>),
])
/** Loss and gradient for an output [timeSteps, batch, classes] and one label per sample. */
export type Loss = (output: Signal, labels: ArrayLike<number>) => LossResult

/** @throws InvalidArgumentError that names the field */
export function createLoss(description: LossDescription): Loss {
  const parsed = lossSchema.safeParse(description)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new InvalidArgumentError(`loss: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
  }
  const loss = parsed.data
  return loss.kind === 'tet'
    ? (output, labels) => temporalEfficientTraining(output, labels, loss)
    : (output, labels) => crossEntropy(output, labels, loss.smoothing)
}
