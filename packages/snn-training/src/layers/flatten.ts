import { type Shape, sizeOf } from '@he-ml/model'
import type { FlattenDescription } from '@he-ml/model/spiking'
import type { Signal } from '../tensor/signal.ts'
import type { Layer } from './layer.ts'

/** [channels, height, width] -> [features]; the values stay where they are. */
export class FlattenLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters = []
  readonly statistics = []
  readonly #inputShape: Shape

  constructor({ name }: FlattenDescription, inputShape: Shape) {
    this.name = name
    this.#inputShape = inputShape
    this.outputShape = [sizeOf(inputShape)]
  }

  async forward(input: Signal): Promise<Signal> {
    return { ...input, shape: this.outputShape }
  }

  async backward(gradient: Signal): Promise<Signal> {
    return { ...gradient, shape: this.#inputShape }
  }
}
