/** What a model's file says of its making, for readers; data-card.ts makes a page of it. */
import type { EpochResult, ModelFacts, Network } from '@he-ml/snn-training'
import { z } from 'zod'
import type { Examination } from '../model/examine.ts'
import type { Recipe } from '../recipes/index.ts'
import type { RecipeSamples } from './recipe-data.ts'

const count = z.number().int().min(0)
/** What the page needs; a model may say more. */
export const factsSchema = z.looseObject({
  recipe: z.string(),
  /** Recipe of the model that training went on from; "" for none. */
  from: z.string(),
  data: z.string(),
  trainingSamples: count,
  validationSamples: count,
  /** Of the watched samples after the last epoch; older models do not say. */
  validationAccuracy: z.number().min(0).max(1).optional(),
  epochs: count,
  batchSize: count,
  optimizer: z.string(),
  learningRate: z.number(),
  augmentation: z.string(),
  seed: z.number().int(),
  testSamples: count.min(1),
  testCorrect: count,
  testAccuracy: z.number().min(0).max(1),
  /** Largest share of a layer's membranes that stood on an end of its grid in the test; 0 without grids. */
  gridEnds: z.number().min(0).max(1),
  /** Largest share of a layer's membranes that was beyond its grid in the test; older models do not say. */
  gridClipped: z.number().min(0).max(1).optional(),
  kernels: z.string(),
  date: z.string(),
})

const DATA = {
  mnist: 'MNIST',
  nmnist: 'simulated event recordings of MNIST digits (our simulator, not the recordings of N-MNIST)',
}

export interface Making {
  readonly recipe: Recipe
  readonly samples: RecipeSamples
  /** What training went through. */
  readonly history: readonly EpochResult[]
  readonly test: Examination
  /** Inner loops in use. */
  readonly kernels: string
  /** YYYY-MM-DD. */
  readonly date: string
}

/** Facts for saveModel. */
export function factsOf({ recipe, samples, history, test, kernels, date }: Making): ModelFacts {
  const { data, start, training, augmentation } = recipe
  const watched = history.at(-1)?.validation
  const facts: z.infer<typeof factsSchema> & ModelFacts = {
    recipe: recipe.name,
    from: start.kind === 'grids' ? start.from : '',
    data: DATA[data.kind],
    trainingSamples: samples.training.count,
    validationSamples: samples.validation?.count ?? 0,
    ...(watched && { validationAccuracy: watched.accuracy }),
    epochs: history.length,
    batchSize: training.batchSize,
    optimizer: training.optimizer.kind,
    learningRate: training.schedule.learningRate,
    augmentation: describe(augmentation),
    seed: training.seed,
    testSamples: test.count,
    testCorrect: test.correct,
    testAccuracy: test.accuracy,
    gridEnds: Math.max(0, ...test.layers.map(({ grid }) => grid?.atEnds ?? 0)),
    gridClipped: Math.max(0, ...test.layers.map(({ grid }) => grid?.clipped ?? 0)),
    kernels,
    date,
  }
  return facts
}

function describe({ shift, rotation }: Recipe['augmentation']): string {
  const parts = [
    ...(shift > 0 ? [`shifts to ${shift} pixels`] : []),
    ...(rotation > 0 ? [`turns to ${rotation}°`] : []),
  ]
  return parts.join(', ') || 'none'
}

/** Number of values that a network learns. */
export const parameterCount = ({ parameters }: Network): number =>
  parameters.reduce((sum, { value }) => sum + value.length, 0)
