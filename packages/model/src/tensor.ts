import { checkArgument, InvalidArgumentError, optionCheck } from '@he-ml/ckks-core'
import { modelCheck } from './model-check.ts'

/** Sizes of a tensor without a batch dimension: [channels, height, width] or [features]. */
export type Shape = readonly number[]

/** A clear tensor, row-major. */
export interface Tensor {
  /** Without a batch dimension. */
  readonly shape: Shape
  /** As many values as the shape has elements, row-major. */
  readonly data: Float64Array
}

/** Number of elements of a shape. */
export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)

/** A tensor, its data checked against the shape. @throws InvalidArgumentError */
export function createTensor(shape: Shape, data: Float64Array = zeros(shape)): Tensor {
  checkArgument('createTensor', 'shape', shape, optionCheck.list('a list of sizes'))
  checkArgument('createTensor', 'data', data, modelCheck.vector)
  if (shape.some((d) => !Number.isInteger(d) || d < 1))
    throw new InvalidArgumentError(`a shape needs positive integers, got [${shape}]`)
  if (data.length !== sizeOf(shape))
    throw new InvalidArgumentError(`shape [${shape}] needs ${sizeOf(shape)} values, got ${data.length}`)
  return { shape, data }
}

/** Of what may be no shape, which is judged then. */
const zeros = (shape: Shape): Float64Array => new Float64Array(Array.isArray(shape) ? sizeOf(shape) : 0)

/** Whether two shapes are equal. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i])
