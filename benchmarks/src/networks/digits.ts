/** The digits a network benchmark runs on, and its network. */
import { readFile } from 'node:fs/promises'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { imageTensor, type LabelledImages, loadMnist, MNIST_NORMALIZATION } from '@he-ml/datasets'
import type { Model } from '@he-ml/model'
import { createTensor, type Tensor } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
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

/** The first `count` digits of a split, normalised. */
export async function loadDigits(folder: string, split: 'train' | 'test', count = Infinity): Promise<Digit[]> {
  const set = await loadMnist(folder, { split })
  return Array.from({ length: Math.min(count, set.count) }, (_, i) => digit(set, i))
}

const digit = (set: LabelledImages, i: number): Digit => ({
  tensor: createTensor([...set.shape], Float64Array.from(imageTensor(set, i, MNIST_NORMALIZATION).data)),
  label: set.labels[i]!,
})

export const loadModel = async (file: string, name: string): Promise<Model> =>
  importOnnx(await readFile(file), { name })
