import type { Shape } from '@he-ml/model'
import type { Signal } from '../tensor/signal.ts'
import type { Layer, NamedValues, Parameter, Pass } from './layer.ts'

/** Layers one after the other; none at all is the identity. */
export class Sequence implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters: readonly Parameter[]
  readonly statistics: readonly NamedValues[]
  readonly layers: readonly Layer[]

  constructor(name: string, inputShape: Shape, layers: readonly Layer[]) {
    this.name = name
    this.layers = layers
    this.outputShape = layers.at(-1)?.outputShape ?? inputShape
    this.parameters = layers.flatMap((layer) => layer.parameters)
    this.statistics = layers.flatMap((layer) => layer.statistics)
  }

  async forward(input: Signal, pass: Pass): Promise<Signal> {
    let signal = input
    for (const layer of this.layers) {
      const next = await layer.forward(signal, pass)
      // the input is the caller's; a flattened signal is the same array
      if (!pass.training && signal.data !== input.data && signal.data !== next.data) pass.release(signal.data)
      signal = next
    }
    return signal
  }

  async backward(gradient: Signal, pass: Pass, wantInput: boolean): Promise<Signal | undefined> {
    // below the lowest layer with parameters nobody needs a gradient
    const last = wantInput ? 0 : this.layers.findIndex((layer) => layer.parameters.length > 0)
    if (last < 0) return undefined
    let signal: Signal = gradient
    for (let i = this.layers.length - 1; i >= last; i--) {
      const next = await this.layers[i]!.backward(signal, pass, wantInput || i > last)
      if (signal.data !== gradient.data && signal.data !== next?.data) pass.release(signal.data)
      if (!next) return undefined
      signal = next
    }
    return signal
  }
}
