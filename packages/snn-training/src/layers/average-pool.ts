import { type Shape, sizeOf } from '@he-ml/model'
import type { PoolDescription } from '@he-ml/model/spiking'
import type { Signal } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Pass } from './layer.ts'
import { pooledShape, poolSizesOf } from './windows.ts'

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

  async forward(input: Signal, { kernels, training, allocate }: Pass): Promise<Signal> {
    const output = allocate(input.steps * input.batch * sizeOf(this.outputShape))
    await kernels.averagePool({ ...poolSizesOf(this.#description, input), input: input.data, output })
    this.#kept.put(input, training)
    return { ...input, data: output, shape: this.outputShape }
  }

  async backward(gradient: Signal, { kernels, allocate }: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const input = this.#kept.take()
    if (!wantInput) return undefined
    const inputGradient = allocate(input.data.length)
    const sizes = poolSizesOf(this.#description, input)
    await kernels.averagePoolBackward({ ...sizes, outputGradient: gradient.data, inputGradient })
    return { ...input, data: inputGradient }
  }
}
