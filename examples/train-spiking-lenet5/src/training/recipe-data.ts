/** The samples that a recipe or a model asks for. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type LabelledImages, loadMnist } from '@he-ml/datasets'
import type { LabelledData, Network } from '@he-ml/snn-training'
import { digitData, digitImages, nmnistRecordings } from '../data/index.ts'
import type { Recipe } from '../recipes/index.ts'
import type { Show } from '../show.ts'

/** Recordings of the test digits have a seed of their own. */
const SEEDS = { training: 0, test: 1 }

export interface DataOptions {
  /** Where the files of MNIST are. */
  readonly folder: string
  /** Where simulated recordings are kept; without it they are made each time. */
  readonly cache?: string
  /** At most the first so many training samples (validation and all), and as many test samples. */
  readonly samples?: number | undefined
  readonly show: Show
  readonly signal?: AbortSignal | undefined
}

/** A recipe's samples. */
export interface RecipeSamples {
  readonly training: LabelledData
  readonly validation: LabelledData | undefined
  readonly test: LabelledData
}

/**
 * @throws DatasetFormatError for missing or damaged files
 * @throws InvalidArgumentError when nothing is left to train on
 */
export async function recipeSamples(recipe: Recipe, timeSteps: number, options: DataOptions): Promise<RecipeSamples> {
  const images = await digitImages(options.folder)
  const { data, validation } = recipe
  const wanted = data.kind === 'nmnist' ? data.count : images.training.count
  const count = Math.min(images.training.count, wanted, options.samples ?? wanted)
  // of a few samples, for a try, no more than a fifth is held out
  const held = Math.min(validation, Math.floor(count / 5))
  if (count - held < 1) throw new InvalidArgumentError('data: expected at least one sample to train on, got none')
  const all = await read(images.training, recipe.data.kind, { ...options, timeSteps, count, set: 'training' })
  return {
    training: part(all, 0, count - held),
    validation: held > 0 ? part(all, count - held, held) : undefined,
    test: await testSamples(images.test, recipe.data.kind, timeSteps, options),
  }
}

/**
 * The test digits, as the network reads them: as they are, or recorded by the event camera. No other file is read.
 * @throws DatasetFormatError for missing or damaged files
 */
export async function samplesFor({ description }: Network, options: DataOptions): Promise<LabelledData> {
  const { inputShape, timeSteps } = description
  const kind = kindOf(inputShape)
  const test = await loadMnist(options.folder)
  return testSamples(test, kind, timeSteps, options)
}

function kindOf(inputShape: readonly number[]): Recipe['data']['kind'] {
  if (`${inputShape}` === '1,28,28') return 'mnist'
  if (`${inputShape}` === '2,34,34') return 'nmnist'
  throw new InvalidArgumentError(`model: expected inputs [1,28,28] or [2,34,34], got [${inputShape}]`)
}

function testSamples(images: LabelledImages, kind: Recipe['data']['kind'], timeSteps: number, options: DataOptions) {
  const count = Math.min(images.count, options.samples ?? images.count)
  return read(images, kind, { ...options, timeSteps, count, set: 'test' })
}

interface ReadOptions extends DataOptions {
  readonly timeSteps: number
  readonly count: number
  readonly set: keyof typeof SEEDS
}

async function read(images: LabelledImages, kind: Recipe['data']['kind'], options: ReadOptions): Promise<LabelledData> {
  const { timeSteps, count, set, cache, show, signal } = options
  if (kind === 'mnist') return part(digitData(images), 0, count)
  const bar = show.count(`recordings of ${count} ${set} digits`)
  try {
    return await nmnistRecordings(images, {
      timeSteps,
      count,
      seed: SEEDS[set],
      onProgress: bar.update,
      onNotice: show.notice,
      ...(cache !== undefined && { cache }),
      ...(signal && { signal }),
    })
  } finally {
    bar.stop()
  }
}

/** `count` samples from the one at `start` on; nothing is copied. */
function part(data: LabelledData, start: number, count: number): LabelledData {
  const { steps, shape } = data
  return {
    count,
    steps,
    shape,
    label: (index) => data.label(start + index),
    read: (index, out) => data.read(start + index, out),
  }
}
