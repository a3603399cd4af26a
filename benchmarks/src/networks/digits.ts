/** The digits a network benchmark runs on, and its network. */
import { readFile } from 'node:fs/promises'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { imageTensor, type LabelledImages, loadMnist, MNIST_NORMALIZATION, type Normalization } from '@he-ml/datasets'
import type { Model } from '@he-ml/model'
import { createTensor, type Tensor } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { functionalSpikeStep, importSpikingModel, polynomialSpikeStep } from '@he-ml/snn-layers'
import { sharedPath } from '../places.ts'

export interface Digit {
  readonly tensor: Tensor
  readonly label: number
}

/** The MNIST folder given, or the shared one. @throws InvalidArgumentError when there is neither */
export function mnistFolder(given: string | undefined): string {
  const folder = given ?? sharedPath('data/mnist')
  if (folder === undefined)
    throw new InvalidArgumentError(
      'this benchmark needs MNIST: give the folder of its IDX files with --data, or set HE_ML_SHARED to a folder with data/mnist',
    )
  return folder
}

/** The first `count` digits of a split, normalised; or as pixels from 0 to 1. */
export async function loadDigits(
  folder: string,
  split: 'train' | 'test',
  count = Infinity,
  normalization: Normalization | undefined = MNIST_NORMALIZATION,
): Promise<Digit[]> {
  const set = await loadMnist(folder, { split })
  return Array.from({ length: Math.min(count, set.count) }, (_, i) => digit(set, i, normalization))
}

/** Pixels as they are. */
export const PIXELS: Normalization = { mean: [0], std: [1] }

const digit = (set: LabelledImages, i: number, normalization: Normalization): Digit => ({
  tensor: createTensor([...set.shape], Float64Array.from(imageTensor(set, i, normalization).data)),
  label: set.labels[i]!,
})

/** How spiking neurons decide. */
export type Method = 'functional' | 'polynomial'

/** An ONNX network, or a spiking one from its two files. */
export async function loadModel(file: string, name: string, method: Method = 'polynomial'): Promise<Model> {
  if (!file.endsWith('.json')) return importOnnx(await readFile(file), { name })
  const description = await readFile(file, 'utf8')
  const weights = await readFile(file.replace(/json$/, 'safetensors'))
  const step = method === 'functional' ? functionalSpikeStep() : polynomialSpikeStep({ width: SOFT_WIDTH })
  return importSpikingModel({ description, weights }, { step })
}

/** Share of the threshold over which a polynomial step rises. */
const SOFT_WIDTH = 0.1
