/** Everything of a training run that is plain data; a checkpoint holds it, and only a run of the same recipe resumes it. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { z } from 'zod'
import { lossSchema } from '../losses/loss.ts'
import { optimizerSchema } from '../optimizers/create-optimizer.ts'

const count = z.number().int().min(1)
export const recipeSchema = z.strictObject({
  epochs: count.max(1_000_000),
  batchSize: count.max(1_000_000),
  /** Seed of shuffles, augmentation and dropout. */
  seed: z.number().int().default(0),
  loss: lossSchema,
  optimizer: optimizerSchema,
  schedule: z.strictObject({
    learningRate: z.number().positive(),
    warmupSteps: z.number().int().min(0).default(0),
    lowest: z.number().min(0).default(0),
  }),
  /** Normalise by running statistics and leave them alone: for fine-tuning. */
  frozenStatistics: z.boolean().default(false),
  /** Stop after this many epochs without a better validation accuracy (or equal accuracy with a lower loss). */
  patience: count.optional(),
})
/** A recipe with defaults filled in. */
export type TrainingRecipe = z.infer<typeof recipeSchema>
/** What one writes. */
export type TrainingRecipeInput = z.input<typeof recipeSchema>

/** @throws InvalidArgumentError that names the field */
export function checkRecipe(recipe: TrainingRecipeInput): TrainingRecipe {
  const parsed = recipeSchema.safeParse(recipe)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new InvalidArgumentError(`training: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
}
