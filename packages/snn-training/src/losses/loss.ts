/** Losses as plain data, for recipes and checkpoints. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { z } from 'zod'
import type { Signal } from '../tensor/signal.ts'
import { crossEntropy, type LossResult } from './cross-entropy.ts'
import { temporalEfficientTraining } from './tet.ts'

export const lossSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('crossEntropy'), smoothing: z.number().min(0).lt(1).default(0) }),
  z.strictObject({ kind: z.literal('tet'), lambda: z.number().min(0).max(1), target: z.number() }),
])
/** Cross entropy of the mean over time, or temporal efficient training. */
export type LossDescription = z.input<typeof lossSchema>
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
