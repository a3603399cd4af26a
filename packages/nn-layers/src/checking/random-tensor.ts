import { createTensor, type Shape, sizeOf, type Tensor } from '@he-ml/model'

/** Values in [-1, 1], the same for the same seed. */
export function randomTensor(shape: Shape, seed: number): Tensor {
  let state = (seed | 0) * 2654435761 + 12345
  const data = Float64Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) | 0
    return state / 2 ** 31
  })
  return createTensor(shape, data)
}

/** The largest difference of two tensors of one size; Infinity where one is not a number. */
export const largestDifference = (a: Tensor, b: Tensor): number =>
  a.data.reduce((most, v, i) => {
    const difference = Math.abs(v - b.data[i]!)
    return difference <= most ? most : Number.isNaN(difference) ? Infinity : difference
  }, 0)
