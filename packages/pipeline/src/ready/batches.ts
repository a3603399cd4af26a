/** Tensors as batches in single precision, and back. */
import type { FloatBatch, FloatLayer } from '@he-ml/float-kernels'
import { createTensor, type GraphLayer, sizeOf, type Tensor } from '@he-ml/model'

/** As `isFloatLayer`, without loading the kernels' package. */
export const runsOnBatches = (layer: GraphLayer): layer is GraphLayer & FloatLayer => 'forwardFloat' in layer

/** @param tensors of one shape, at least one */
export function stack(tensors: readonly Tensor[]): FloatBatch {
  const { shape } = tensors[0]!
  const size = sizeOf(shape)
  const data = new Float32Array(tensors.length * size)
  for (const [n, tensor] of tensors.entries()) data.set(tensor.data, n * size)
  return { shape, count: tensors.length, data }
}

export function unstack({ shape, count, data }: FloatBatch): Tensor[] {
  const size = sizeOf(shape)
  return Array.from({ length: count }, (_, n) =>
    createTensor(shape, Float64Array.from(data.subarray(n * size, (n + 1) * size))),
  )
}
