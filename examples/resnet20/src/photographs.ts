/** Photographs of CIFAR-10, normalised as the networks were trained. */
import { CIFAR_NORMALIZATION, imageTensor, loadCifar10 } from '@he-ml/datasets'
import { createTensor, type Tensor } from '@he-ml/model'

export interface Photograph {
  readonly tensor: Tensor
  /** 0 to 9. */
  readonly label: number
}

/** The first `count` of a split, or all there are. @throws DatasetFormatError when the folder lacks the files */
export async function loadPhotographs(folder: string, split: 'train' | 'test', count: number): Promise<Photograph[]> {
  const set = await loadCifar10(folder, { split })
  return Array.from({ length: Math.min(count, set.count) }, (_, i) => ({
    tensor: createTensor([...set.shape], imageTensor(set, i, CIFAR_NORMALIZATION).data),
    label: set.labels[i]!,
  }))
}
