/** Everything of a training run that is plain data; a checkpoint holds it, and only a run of the same recipe resumes it. */
import { InvalidArgumentError, type SchemaFields } from '@he-ml/ckks-core'
import type { Defaulted } from '@he-ml/model/spiking'
import { z } from 'zod'
import { type CrossEntropyLoss, type LossDescription, lossSchema, type TetLoss } from '../losses/loss.ts'
import {
  type AdamSettings,
  type OptimizerDescription,
  optimizerSchema,
  type SgdSettings,
} from '../optimizers/create-optimizer.ts'
import type { CosineSchedule } from '../optimizers/schedule.ts'

/** A recipe with defaults filled in. */
export interface TrainingRecipe {
  /** How often all samples are seen, at least 1. */
  readonly epochs: number
  /** Samples in a step; the last step of an epoch has what is left. */
  readonly batchSize: number
  /** Seed of shuffles, augmentation and dropout, an integer. Default 0. */
  readonly seed: number
  /** What is made small. */
  readonly loss: CrossEntropyLoss | TetLoss
  /** How weights follow their gradients. */
  readonly optimizer: SgdSettings | AdamSettings
  /** Learning rates of all steps. */
  readonly schedule: Required<CosineSchedule>
  /** Normalise by running statistics and leave them alone: for fine-tuning. Default false. */
  readonly frozenStatistics: boolean
  /**
   * Stop after this many epochs without a better validation accuracy (or equal accuracy with a lower loss). Absent: all epochs are
   * trained.
   */
  readonly patience?: number | undefined
}

/** A recipe as one writes it: members with a default may be left out. */
export type TrainingRecipeInput = Defaulted<
  Omit<TrainingRecipe, 'loss' | 'optimizer' | 'schedule'>,
  'seed' | 'frozenStatistics'
> & {
  /** What is made small. */
  readonly loss: LossDescription
  /** How weights follow their gradients. */
  readonly optimizer: OptimizerDescription
  /** Learning rates of all steps. */
  readonly schedule: Defaulted<Required<CosineSchedule>, 'warmupSteps' | 'lowest'>
}

const count = z.number().int().min(1)
export const recipeSchema: z.ZodType<TrainingRecipe, TrainingRecipeInput> = z.strictObject({
  epochs: count.max(1_000_000),
  batchSize: count.max(1_000_000),
  seed: z.number().int().default(0),
  loss: lossSchema,
  optimizer: optimizerSchema,
  schedule: z.strictObject({
    learningRate: z.number().positive(),
    warmupSteps: z.number().int().min(0).default(0),
    lowest: z.number().min(0).default(0),
  } satisfies SchemaFields<CosineSchedule>),
  frozenStatistics: z.boolean().default(false),
  patience: count.optional(),
} satisfies SchemaFields<TrainingRecipe>)

/** @throws InvalidArgumentError that names the field */
export function checkRecipe(recipe: TrainingRecipeInput): TrainingRecipe {
  const parsed = recipeSchema.safeParse(recipe)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new InvalidArgumentError(`training: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
}
