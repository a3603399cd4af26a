import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type Shape, sameShape, type Tensor } from '@he-ml/model'

/** The only input of a layer. @throws InvalidArgumentError naming the layer */
export function only<T>(name: string, inputs: readonly T[]): T {
  if (inputs.length !== 1) throw new InvalidArgumentError(`layer "${name}" takes 1 input, got ${inputs.length}`)
  return inputs[0]!
}

/** @throws InvalidArgumentError unless the factor is finite and not zero */
export function checkFactor(name: string, factor: number): void {
  if (!Number.isFinite(factor) || factor === 0)
    throw new InvalidArgumentError(`layer "${name}": a factor must be finite and not zero, got ${factor}`)
}

/** @throws InvalidArgumentError unless all values are finite */
export function checkFinite(name: string, what: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]!))
      throw new InvalidArgumentError(`layer "${name}": ${what}[${i}] is ${values[i]}: all values must be finite`)
}

/** @throws InvalidArgumentError unless the tensor has the shape */
export function checkShapeOf(name: string, what: string, tensor: Tensor, shape: Shape): void {
  if (!sameShape(tensor.shape, shape))
    throw new InvalidArgumentError(`layer "${name}": ${what} should be [${shape}], got [${tensor.shape}]`)
}

export const scaled = (values: Float64Array, factor: number): Float64Array => values.map((v) => v * factor)
