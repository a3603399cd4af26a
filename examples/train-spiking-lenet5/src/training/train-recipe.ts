/** From a recipe to a model on disk, with pictures. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CancelledError, InvalidArgumentError } from '@he-ml/ckks-core'
import { encodeModel, type Network, parseModel, type TrainingResult, train } from '@he-ml/snn-training'
import { checkpointFile, saveModel } from '@he-ml/snn-training/node'
import type { UsedKernels } from '../kernels.ts'
import { examinationText } from '../model/examination-text.ts'
import { type Examination, examine } from '../model/examine.ts'
import { drawModel } from '../model/pictures.ts'
import { drawLearningCurves } from '../picture/index.ts'
import { augmentationOf, type Recipe } from '../recipes/index.ts'
import type { Show } from '../show.ts'
import { percent } from '../terminal/index.ts'
import { factsOf, parameterCount } from './facts.ts'
import { type RecipeSamples, recipeSamples } from './recipe-data.ts'
import { startNetwork, withGrids } from './start-network.ts'

export interface TrainRecipeOptions {
  /** Folder with MNIST's files. */
  readonly data: string
  /** Everything goes to a folder of the recipe's name in it. */
  readonly out: string
  readonly kernels: UsedKernels
  readonly show: Show
  /** Go on from the run's checkpoint, if there is one; otherwise a run that has one is refused. */
  readonly resume?: boolean | undefined
  /** Path of the model that a recipe with grids starts from. */
  readonly from?: string | undefined
  /** See recipeSamples; for a try. */
  readonly samples?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** The day that goes into the model, YYYY-MM-DD; default today. */
  readonly date?: string
}

/** A finished run. */
export interface TrainedModel {
  /** The model's, without .json and .safetensors. */
  readonly path: string
  readonly result: TrainingResult
  readonly test: Examination
}

/**
 * Trains, judges and saves; stopped runs go on where they were. The model's weights follow from recipe, data and kernels
 * alone, however often the run was stopped.
 *
 * @throws CancelledError when the signal fired; the checkpoint is then of that moment
 * @throws InvalidArgumentError for a run that would overwrite an unfinished one; what the parts throw
 */
export async function trainRecipe(asked: Recipe, options: TrainRecipeOptions): Promise<TrainedModel> {
  const { show, kernels, signal } = options
  const folder = join(options.out, asked.name)
  const file = checkpointFile(join(folder, 'checkpoint.safetensors'))
  const checkpoint = await file.read()
  if (checkpoint && !options.resume)
    throw new InvalidArgumentError(
      `${folder} holds a run already: give --resume to go on with it, or remove the folder`,
    )
  if (options.resume && !checkpoint) show.notice(`${folder} holds no checkpoint: the run begins anew`)

  const start = await startNetwork(asked, { kernels: kernels.kernels, out: options.out, from: options.from })
  const { timeSteps } = start.network.description
  const cache = join(options.out, 'recordings')
  const data = { folder: options.data, cache, samples: options.samples, show, signal }
  const samples = await recipeSamples(asked, timeSteps, data)
  const recipe = withShortWarmUp(asked, samples.training.count, show)
  const network = withGrids(start.network, recipe)

  show.line(
    `${recipe.name}: ${network.description.name}, ${parameterCount(network)} parameters` +
      `${start.from === undefined ? '' : `, from ${start.from}`}; ${samples.training.count} samples to train on, ` +
      `${samples.validation?.count ?? 0} to watch, ${samples.test.count} to judge by; ${kernels.name}`,
  )
  await mkdir(folder, { recursive: true })
  try {
    const result = await runTraining(network, recipe, samples, { ...options, checkpoint, write: file.write })
    return await finish(network, recipe, samples, { ...options, folder, result })
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error
    throw new CancelledError(`${error.message}; the checkpoint is written: the same command with --resume goes on`, {
      cause: error,
    })
  }
}

/** A rate that warms up for longer than a short try lasts would be refused. */
function withShortWarmUp(recipe: Recipe, count: number, show: Show): Recipe {
  const { training } = recipe
  const { warmupSteps = 0 } = training.schedule
  const most = Math.floor((training.epochs * Math.ceil(count / training.batchSize)) / 4)
  if (warmupSteps <= most) return recipe
  show.notice(`the run is short: the rate warms up for ${most} steps instead of ${warmupSteps}`)
  return { ...recipe, training: { ...training, schedule: { ...training.schedule, warmupSteps: most } } }
}

interface RunOptions extends TrainRecipeOptions {
  readonly checkpoint: Uint8Array | undefined
  write(bytes: Uint8Array): Promise<void>
}

async function runTraining(
  network: Network,
  recipe: Recipe,
  { training, validation }: RecipeSamples,
  { show, signal, checkpoint, write }: RunOptions,
): Promise<TrainingResult> {
  const bar = show.training(recipe.name)
  const augmentation = augmentationOf(recipe)
  try {
    return await train(network, {
      data: training,
      recipe: recipe.training,
      checkpoint: { write },
      onProgress: bar.update,
      ...(validation && { validation }),
      ...(augmentation && { augmentation }),
      ...(checkpoint && { resume: checkpoint }),
      ...(signal && { signal }),
    })
  } finally {
    bar.stop()
  }
}

interface FinishOptions extends TrainRecipeOptions {
  readonly folder: string
  readonly result: TrainingResult
}

/** Judges what a reader of the saved model will have: folded, its weights on their grids. */
async function finish(
  network: Network,
  recipe: Recipe,
  samples: RecipeSamples,
  { folder, result, kernels, show, signal, date = new Date().toISOString().slice(0, 10) }: FinishOptions,
): Promise<TrainedModel> {
  const model = parseModel(encodeModel(network), { kernels: kernels.kernels }).network
  const test = await examine(model, samples.test, { signal })
  const { history } = result
  const facts = factsOf({ recipe, samples, history, test, kernels: kernels.name, date })
  const path = join(folder, recipe.name)
  await saveModel(path, model, facts)
  await writeFile(join(folder, 'history.json'), `${JSON.stringify(history, null, 1)}\n`)

  const subtitle = [
    `${model.description.name}; ${samples.training.count} training samples, seed ${recipe.training.seed}`,
    `${percent(test.accuracy)} of ${test.count} test samples`,
  ]
  const curves = await drawLearningCurves({
    title: `Training of ${recipe.name}`,
    subtitle,
    runs: [{ name: recipe.name, history }],
  })
  const pictures = { 'learning-curves.svg': curves, ...(await drawModel(model, samples.test)) }
  for (const [name, svg] of Object.entries(pictures)) await writeFile(join(folder, name), svg)

  show.line(examinationText(test))
  show.line(`model: ${path}.json and .safetensors; pictures: ${Object.keys(pictures).join(', ')} beside it`)
  return { path, result, test }
}
