import { type ConvolutionSizes, outputSize } from '@he-ml/float-kernels'
import { type Shape, sizeOf } from '@he-ml/model'
import type { ConvolutionDescription } from '@he-ml/model/spiking'
import type { Reals } from '@he-ml/snn-neurons'
import type { Signal } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Parameter, Pass } from './layer.ts'
import type { BuildOptions } from './options.ts'
import { Weights } from './weights.ts'

/** Two-dimensional convolution (cross-correlation) with zero padding on [channels, height, width]. */
export class ConvolutionLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly statistics = []
  readonly #weights: Weights
  readonly #sizes: Omit<ConvolutionSizes, 'batch'>
  readonly #kept: Kept<{ readonly input: Signal; readonly weight: Reals }>

  constructor(description: ConvolutionDescription, inputShape: Shape, { precision, seed }: BuildOptions) {
    const { name, outChannels, kernel, stride, padding, groups } = description
    const [inChannels, height, width] = inputShape as [number, number, number]
    const rows = outputSize(height, kernel[0], stride, padding)
    const columns = outputSize(width, kernel[1], stride, padding)
    this.name = name
    this.outputShape = [outChannels, rows, columns]
    this.#sizes = { inChannels, height, width, outChannels, kernel, stride, padding, groups }
    const shape = [outChannels, inChannels / groups, ...kernel]
    const { bias: hasBias, weightGrid: grid } = description
    this.#weights = new Weights({ layer: name, shape, hasBias, precision, seed, grid })
    this.#kept = new Kept(name)
  }

  get parameters(): readonly Parameter[] {
    return this.#weights.parameters
  }

  async forward(input: Signal, { kernels, training, allocate }: Pass): Promise<Signal> {
    const images = input.steps * input.batch
    const { weight, bias } = this.#weights.effective(allocate)
    const output = allocate(images * sizeOf(this.outputShape))
    await kernels.conv2d({ ...this.#sizes, batch: images, input: input.data, weight, ...(bias && { bias }), output })
    this.#kept.put({ input, weight }, training)
    return { ...input, data: output, shape: this.outputShape }
  }

  async backward(gradient: Signal, { kernels, allocate }: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const { input, weight } = this.#kept.take()
    const sizes = { ...this.#sizes, batch: input.steps * input.batch, outputGradient: gradient.data }
    const weightGradient = this.#weights.weight.gradient
    const biasGradient = this.#weights.bias?.gradient
    const task = { ...sizes, input: input.data, weightGradient, ...(biasGradient && { biasGradient }) }
    const inputGradient = wantInput ? allocate(input.data.length) : undefined
    await Promise.all([
      kernels.conv2dBackwardWeight(task),
      inputGradient && kernels.conv2dBackwardInput({ ...sizes, weight, inputGradient }),
    ])
    this.#weights.finishGradients()
    return inputGradient && { ...input, data: inputGradient }
  }
}
