import type { PoolDescription } from '../network/description.ts'
import { type Shape, type Signal, zerosLike } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Pass } from './layer.ts'
import { forEachWindow, pooledShape } from './windows.ts'

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

  async forward(input: Signal, { training }: Pass): Promise<Signal> {
    const planes = input.steps * input.batch * input.shape[0]!
    const [, rows, columns] = this.outputShape as [number, number, number]
    const { kernel } = this.#description
    const values = input.data
    const data = zerosLike(values, planes * rows * columns)
    const winners = new Uint32Array(data.length)
    const width = input.shape[2]!
    forEachWindow(this.#description, input.shape, planes, (to, from) => {
      let best = from
      for (let y = 0; y < kernel; y++)
        for (let at = from + y * width; at < from + y * width + kernel; at++) if (values[at]! > values[best]!) best = at
      data[to] = values[best]!
      winners[to] = best
    })
    this.#kept.put({ input, winners }, training)
    return { ...input, data, shape: this.outputShape }
  }

  async backward(gradient: Signal, _pass: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const { input, winners } = this.#kept.take()
    if (!wantInput) return undefined
    const data = zerosLike(input.data)
    for (let i = 0; i < winners.length; i++) data[winners[i]!] = data[winners[i]!]! + gradient.data[i]!
    return { ...input, data }
  }
}
