/** The shared ResNet-20 and training images of CIFAR-10. */
import { CIFAR_NORMALIZATION, imageTensor, loadCifar10 } from '@he-ml/datasets'
import { createTensor, type Model, type Tensor } from '@he-ml/model'
import { sharedPath } from '../places.ts'
import { loadModel } from './digits.ts'

export interface ResNet20 {
  readonly model: Model
  /** The first of the training set, normalised. */
  readonly images: readonly Tensor[]
}

/** @returns undefined, with a word on stderr, where its files are not there */
export async function loadResnet20(count: number): Promise<ResNet20 | undefined> {
  const file = sharedPath('models/resnet20-cifar10-relu.onnx')
  const folder = sharedPath('data/cifar10')
  if (file === undefined || folder === undefined) {
    console.error('no ResNet-20: HE_ML_SHARED names no folder with its model and data/cifar10')
    return undefined
  }
  const set = await loadCifar10(folder, { split: 'train' })
  const images = Array.from({ length: Math.min(count, set.count) }, (_, i) =>
    createTensor([...set.shape], imageTensor(set, i, CIFAR_NORMALIZATION).data),
  )
  return { model: await loadModel(file, 'resnet20'), images }
}
