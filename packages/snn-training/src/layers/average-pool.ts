import type { PoolDescription } from '../network/description.ts'
import { type Shape, type Signal, zerosLike } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Pass } from './layer.ts'
import { forEachWindow, pooledShape } from './windows.ts'

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
    const [, rows, columns] = this.outputShape as [number, number, number]
    const { kernel } = this.#description
    const data = zerosLike(input.data, planes * rows * columns)
    const width = input.shape[2]!
    forEachWindow(this.#description, input.shape, planes, (to, from) => {
      let sum = 0
      for (let y = 0; y < kernel; y++) for (let x = 0; x < kernel; x++) sum += input.data[from + y * width + x]!
      data[to] = sum / (kernel * kernel)
    })
    this.#kept.put(input, training)
    return { ...input, data, shape: this.outputShape }
  }

  async backward(gradient: Signal, _pass: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const input = this.#kept.take()
    if (!wantInput) return undefined
    const { kernel } = this.#description
    const data = zerosLike(input.data)
    const width = input.shape[2]!
    const planes = input.steps * input.batch * input.shape[0]!
    forEachWindow(this.#description, input.shape, planes, (from, to) => {
      const share = gradient.data[from]! / (kernel * kernel)
      for (let y = 0; y < kernel; y++)
        for (let x = 0; x < kernel; x++) data[to + y * width + x] = data[to + y * width + x]! + share
    })
    return { ...input, data }
  }
}
