import type { Reals } from '@he-ml/snn-neurons'
import { outputSize } from '../kernels/float-kernels.ts'
import type { PoolDescription } from '../network/description.ts'
import { type Shape, type Signal, sizeOf, zerosLike } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Pass } from './layer.ts'
import { pooledShape } from './windows.ts'

/** Means of square windows, without padding. */
export class AveragePoolLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters = []
  readonly statistics = []
  readonly #description: PoolDescription
  readonly #kept: Kept<Signal>

  constructor(description: PoolDescription, inputShape: Shape) {
    this.name = description.name
    this.outputShape = pooledShape(description, inputShape)
    this.#description = description
    this.#kept = new Kept(description.name)
  }

  async forward(input: Signal, { training }: Pass): Promise<Signal> {
    const planes = input.steps * input.batch * input.shape[0]!
    const data = zerosLike(input.data, planes * sizeOf(this.outputShape.slice(1)))
    averageWindows(this.#description, input.shape, input.data, data)
    this.#kept.put(input, training)
    return { ...input, data, shape: this.outputShape }
  }

  async backward(gradient: Signal, _pass: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const input = this.#kept.take()
    if (!wantInput) return undefined
    const data = zerosLike(input.data)
    spreadWindows(this.#description, input.shape, gradient.data, data)
    return { ...input, data }
  }
}

/** Plain nested loops: pooling walks as many values as the neurons do, and a call per window would cost more than its sum. */
function averageWindows({ kernel, stride }: PoolDescription, shape: Shape, input: Reals, output: Reals): void {
  const [, height, width] = shape as [number, number, number]
  const [rows, columns] = [outputSize(height, kernel, stride, 0), outputSize(width, kernel, stride, 0)]
  const area = kernel * kernel
  for (let to = 0, plane = 0; to < output.length; plane += height * width)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const corner = plane + row * stride * width + column * stride
        let sum = 0
        for (let y = corner; y < corner + kernel * width; y += width)
          for (let x = y; x < y + kernel; x++) sum += input[x]!
        output[to++] = sum / area
      }
}

/** Adjoint of {@link averageWindows}; adds to `input`. */
function spreadWindows({ kernel, stride }: PoolDescription, shape: Shape, output: Reals, input: Reals): void {
  const [, height, width] = shape as [number, number, number]
  const [rows, columns] = [outputSize(height, kernel, stride, 0), outputSize(width, kernel, stride, 0)]
  const area = kernel * kernel
  for (let from = 0, plane = 0; from < output.length; plane += height * width)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const corner = plane + row * stride * width + column * stride
        const share = output[from++]! / area
        for (let y = corner; y < corner + kernel * width; y += width)
          for (let x = y; x < y + kernel; x++) input[x] = input[x]! + share
      }
}
