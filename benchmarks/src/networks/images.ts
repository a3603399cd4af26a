import { CIFAR_NORMALIZATION, imageTensor, loadCifar10 } from '@he-ml/datasets'
import { createTensor, type Tensor } from '@he-ml/model'

/** The first images of CIFAR-10's training set, normalised; all of them when there are fewer. */
export async function loadCifarImages(folder: string, count: number): Promise<Tensor[]> {
  const set = await loadCifar10(folder, { split: 'train' })
  return Array.from({ length: Math.min(count, set.count) }, (_, i) =>
    createTensor([...set.shape], imageTensor(set, i, CIFAR_NORMALIZATION).data),
  )
}
