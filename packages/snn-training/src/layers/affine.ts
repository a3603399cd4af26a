import type { Shape } from '@he-ml/model'
import type { AffineDescription } from '@he-ml/model/spiking'
import { type Signal, zeros, zerosLike } from '../tensor/signal.ts'
import { channelSizesOf } from './channels.ts'
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

  async forward(input: Signal, { kernels, training, allocate }: Pass): Promise<Signal> {
    this.#kept.put(input, training)
    const [scale, shift] = this.parameters as [Parameter, Parameter]
    const output = allocate(input.data.length)
    const task = { input: input.data, scale: scale.value, shift: shift.value, output }
    await kernels.scaleChannels({ ...channelSizesOf(input), ...task })
    return { ...input, data: output }
  }

  async backward(gradient: Signal, { kernels, allocate }: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const input = this.#kept.take()
    const sizes = channelSizesOf(input)
    const [scale, shift] = this.parameters as [Parameter, Parameter]
    const [plain, weighted] = [new Float64Array(sizes.channels), new Float64Array(sizes.channels)]
    await kernels.channelSums({ ...sizes, gradient: gradient.data, input: input.data, plain, weighted })
    scale.gradient.set(weighted)
    shift.gradient.set(plain)
    if (!wantInput) return undefined
    const output = allocate(input.data.length)
    const task = { input: gradient.data, scale: scale.value, shift: zerosLike(shift.value), output }
    await kernels.scaleChannels({ ...sizes, ...task })
    return { ...input, data: output }
  }
}
