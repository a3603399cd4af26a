/** Residual networks, the images they are shown, and how they are planned. */
import { CIFAR_NORMALIZATION, imageTensor, loadCifar10 } from '@he-ml/datasets'
import { createTensor, type Model, type Tensor } from '@he-ml/model'
import { resnetModel, sharedPath } from '../places.ts'
import { loadModel } from './digits.ts'

export interface ResidualNetwork {
  /** Of its rows. */
  readonly name: string
  /** In ONNX; undefined where it is not there. */
  file(): string | undefined
  /** Degree of the polynomials that stand for ReLU; absent where activations are polynomials. */
  readonly degree?: number
  readonly margin: number
  /** Whether it knows the classes of CIFAR-10. */
  readonly isLabelled: boolean
}

export const RESNET20: readonly ResidualNetwork[] = [
  {
    name: 'resnet20-relu',
    file: () => sharedPath('models/resnet20-cifar10-relu.onnx'),
    degree: 59,
    margin: 1.3,
    isLabelled: true,
  },
  { name: 'resnet20-lowdegree', file: () => resnetModel('resnet20-quadratic.onnx'), margin: 1.3, isLabelled: true },
]

export const RESNET34: readonly ResidualNetwork[] = [
  {
    name: 'resnet34-relu',
    file: () => sharedPath('models/resnet34-cifar100-relu.onnx'),
    degree: 119,
    margin: 1.3,
    isLabelled: false,
  },
]

export interface Pictures {
  readonly tensors: readonly Tensor[]
  readonly labels: readonly number[]
}

/** The first of CIFAR-10's images, normalised; undefined where they are not there. */
export async function loadPictures(split: 'train' | 'test', count: number): Promise<Pictures | undefined> {
  const folder = sharedPath('data/cifar10')
  if (folder === undefined) return undefined
  const set = await loadCifar10(folder, { split })
  const indices = Array.from({ length: Math.min(count, set.count) }, (_, i) => i)
  return {
    tensors: indices.map((i) => createTensor([...set.shape], imageTensor(set, i, CIFAR_NORMALIZATION).data)),
    labels: indices.map((i) => set.labels[i]!),
  }
}

export const loadResidual = (network: ResidualNetwork, file: string): Promise<Model> => loadModel(file, network.name)
