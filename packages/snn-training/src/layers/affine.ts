import type { AffineDescription } from '../network/description.ts'
import { type Shape, type Signal, zeros } from '../tensor/signal.ts'
import { channelSums, scaleChannels } from './channels.ts'
import { Kept } from './kept.ts'
import type { Layer, Parameter, Pass } from './layer.ts'
import type { BuildOptions } from './options.ts'

/** y = scale[c] x + shift[c] for every channel: what a folded normalisation is. Starts as the identity. */
export class AffineLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters: readonly Parameter[]
  readonly statistics = []
  readonly #kept: Kept<Signal>

  constructor({ name }: AffineDescription, inputShape: Shape, { precision }: BuildOptions) {
    const channels = inputShape[0]!
    const make = (what: string, fill: number): Parameter => ({
      name: `${name}.${what}`,
      shape: [channels],
      value: zeros(precision, channels).fill(fill),
      gradient: zeros(precision, channels),
      decays: false,
    })
    this.name = name
    this.outputShape = inputShape
    this.parameters = [make('scale', 1), make('shift', 0)]
    this.#kept = new Kept(name)
  }

  async forward(input: Signal, { training }: Pass): Promise<Signal> {
    this.#kept.put(input, training)
    const [scale, shift] = this.parameters
    return scaleChannels(input, scale!.value, shift!.value)
  }

  async backward(gradient: Signal, _pass: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const { plain, weighted } = channelSums(gradient, this.#kept.take())
    const [scale, shift] = this.parameters
    scale!.gradient.set(weighted)
    shift!.gradient.set(plain)
    return wantInput
      ? scaleChannels(
          gradient,
          scale!.value,
          scale!.value.map(() => 0),
        )
      : undefined
  }
}
