import { type Shape, sizeOf } from '@he-ml/model'
import type { PoolDescription } from '@he-ml/model/spiking'
import type { Signal } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Pass } from './layer.ts'
import { pooledShape, poolSizesOf } from './windows.ts'

/** Largest values of square windows, without padding; of equal ones the first gets the gradient. */
export class MaxPoolLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters = []
  readonly statistics = []
  readonly #description: PoolDescription
  readonly #kept: Kept<{ readonly input: Signal; readonly winners: Uint32Array }>

  constructor(description: PoolDescription, inputShape: Shape) {
    this.name = description.name
    this.outputShape = pooledShape(description, inputShape)
    this.#description = description
    this.#kept = new Kept(description.name)
  }

  async forward(input: Signal, { kernels, training, allocate, allocateIndices }: Pass): Promise<Signal> {
    const length = input.steps * input.batch * sizeOf(this.outputShape)
    const [output, winners] = [allocate(length), allocateIndices(length)]
    await kernels.maxPool({ ...poolSizesOf(this.#description, input), input: input.data, output, winners })
    this.#kept.put({ input, winners }, training)
    return { ...input, data: output, shape: this.outputShape }
  }

  async backward(gradient: Signal, { kernels, allocate }: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const { input, winners } = this.#kept.take()
    if (!wantInput) return undefined
    const inputGradient = allocate(input.data.length)
    const sizes = poolSizesOf(this.#description, input)
    await kernels.maxPoolBackward({ ...sizes, outputGradient: gradient.data, winners, inputGradient })
    return { ...input, data: inputGradient }
  }
}
