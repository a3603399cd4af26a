import type { Shape } from '@he-ml/model'
import type { DropoutDescription } from '@he-ml/model/spiking'
import { type Reals, uniformAt } from '@he-ml/snn-neurons'
import { deriveSeed } from '../random/random-stream.ts'
import type { Signal } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Pass } from './layer.ts'

/**
 * In training, zeroes values with probability `rate` and scales the others by 1 / (1 - rate); in inference, the identity.
 * A value is dropped at all time steps or at none, so that a neuron keeps one set of inputs while it integrates.
 */
export class DropoutLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters = []
  readonly statistics = []
  readonly #rate: number
  readonly #kept: Kept<Float64Array>

  constructor({ name, rate }: DropoutDescription, inputShape: Shape) {
    this.name = name
    this.outputShape = inputShape
    this.#rate = rate
    this.#kept = new Kept(name)
  }

  async forward(input: Signal, { training, seed, allocate }: Pass): Promise<Signal> {
    if (!training) return input
    const own = deriveSeed(seed, 'dropout', this.name)
    const factors = new Float64Array(input.data.length / input.steps)
    for (let i = 0; i < factors.length; i++) factors[i] = uniformAt(own, i) < this.#rate ? 0 : 1 / (1 - this.#rate)
    this.#kept.put(factors, training)
    return scaled(input, factors, allocate(input.data.length))
  }

  async backward(gradient: Signal, { allocate }: Pass): Promise<Signal> {
    return scaled(gradient, this.#kept.take(), allocate(gradient.data.length))
  }
}

function scaled(signal: Signal, factors: Float64Array, data: Reals): Signal {
  for (let start = 0; start < data.length; start += factors.length)
    for (let i = 0; i < factors.length; i++) data[start + i] = signal.data[start + i]! * factors[i]!
  return { ...signal, data }
}
