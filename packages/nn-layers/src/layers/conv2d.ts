/** Convolution over [channels, height, width]: one level, in every packing. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import {
  type ChannelFactors,
  createTensor,
  digestNumbers,
  digestText,
  type Layer,
  type Shape,
  type Tensor,
} from '@he-ml/model'
import type { Lowerable, LowerContext, LoweredLayer, SlotLayout } from '@he-ml/packing'
import { convolveBatch } from '../floats/convolution.ts'
import { forwardLinear } from '../linear-map/forward.ts'
import { type LinearMap, usefulTaps, type Window } from '../linear-map/linear-map.ts'
import { createWindow, imageShape, type WindowOptions, windowOutput } from '../linear-map/window.ts'
import { checkLayerOptions } from './layer-options.ts'
import { lowerLinear } from './lower-linear.ts'
import { checkFactor, checkFinite, only, scaled } from './single-input.ts'

/** Options of {@link conv2d}. */
export interface Conv2dOptions extends WindowOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** [output channels, input channels / groups, rows, columns]. */
  readonly weights: Tensor
  /** One per output channel; absent: zero. */
  readonly bias?: Float64Array
  /** Default 1. */
  readonly groups?: number
}

/** See {@link conv2d}. */
export class Conv2dLayer implements Layer, FloatLayer, Lowerable {
  readonly kind = 'conv2d'
  readonly arity = 1
  readonly name: string
  /** [output channels, input channels / groups, rows, columns]. */
  readonly weights: Tensor
  /** One per output channel; undefined: zeros. */
  readonly bias: Float64Array | undefined
  /** Groups of channels that do not see each other. */
  readonly groups: number
  /** Which inputs an output reads. */
  readonly window: Window

  constructor(options: Conv2dOptions) {
    const { name, weights, bias, groups = 1 } = options
    this.name = name
    if (weights.shape.length !== 4)
      throw new InvalidArgumentError(
        `layer "${name}": weights should be [output channels, input channels / groups, rows, columns], got [${weights.shape}]`,
      )
    const [channels, , rows, columns] = weights.shape as [number, number, number, number]
    if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
      throw new InvalidArgumentError(
        `layer "${name}": ${channels} output channels cannot be split into ${groups} groups`,
      )
    if (bias && bias.length !== channels)
      throw new InvalidArgumentError(`layer "${name}": expected ${channels} bias values, got ${bias.length}`)
    checkFinite(name, 'weights', weights.data)
    if (bias) checkFinite(name, 'bias', bias)
    this.weights = weights
    this.bias = bias
    this.groups = groups
    this.window = createWindow(name, [rows, columns], options)
  }

  digestParts(): readonly Uint8Array[] {
    return [
      digestNumbers(this.weights.data),
      digestNumbers(this.bias ?? []),
      digestText([this.weights.shape, this.groups, this.window]),
    ]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    return this.#map(only(this.name, inputs)).outputShape
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const input = only(this.name, inputs)
    return forwardLinear(this.#map(input.shape), input)
  }
  async forwardFloat(kernels: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const input = only(this.name, inputs)
    return convolveBatch(kernels, this.#map(input.shape), this.weights.data, input)
  }
  lower(inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer {
    const input = only(this.name, inputs)
    return lowerLinear(this.#map(input.shape), input, context)
  }
  scaleOutput(factor: number): Conv2dLayer {
    checkFactor(this.name, factor)
    return this.#with(factor, factor)
  }
  scaleInput(factor: number): Conv2dLayer {
    checkFactor(this.name, factor)
    return this.#with(factor, 1)
  }

  #with(weightFactor: number, biasFactor: number): Conv2dLayer {
    const weights = createTensor(this.weights.shape, scaled(this.weights.data, weightFactor))
    return this.replace(weights, this.bias && scaled(this.bias, biasFactor))
  }

  scaleChannels({ input, output }: ChannelFactors): Conv2dLayer {
    const [channels, perGroup, rows, columns] = this.weights.shape as [number, number, number, number]
    const inGroup = channels / this.groups
    const data = this.weights.data.map((weight, i) => {
      const tap = Math.floor(i / (rows * columns))
      const o = Math.floor(tap / perGroup)
      const c = Math.floor(o / inGroup) * perGroup + (tap % perGroup)
      return weight * output[o]! * input[c]!
    })
    return this.replace(
      createTensor(this.weights.shape, data),
      this.bias?.map((b, o) => b * output[o]!),
    )
  }

  /** The same layer with other numbers. */
  replace(weights: Tensor, bias: Float64Array | undefined): Conv2dLayer {
    const { name, groups, window } = this
    const { stride, padding, dilation } = window
    return new Conv2dLayer({ name, weights, groups, stride, padding, dilation, ...(bias ? { bias } : {}) })
  }

  #map(shape: Shape): LinearMap {
    const { name, groups, window, bias } = this
    const [channels, perGroup, rows, columns] = this.weights.shape as [number, number, number, number]
    const input = imageShape(name, shape)
    if (input[0] !== perGroup * groups)
      throw new InvalidArgumentError(
        `layer "${name}": its weights read ${perGroup * groups} channels, the input [${shape}] has ${input[0]}`,
      )
    const output = [channels, ...windowOutput(name, shape, window)] as const
    const { data } = this.weights
    const map: LinearMap = {
      name,
      input,
      output,
      outputShape: output,
      window,
      groups,
      weight: (o, c, ky, kx) => data[((o * perGroup + c) * rows + ky) * columns + kx]!,
      ...(bias ? { bias } : {}),
    }
    if (usefulTaps(map, 0).length === 0 || usefulTaps(map, 1).length === 0)
      throw new InvalidArgumentError(`layer "${name}": every window of the input [${shape}] reads padding only`)
    return map
  }
}

/**
 * A convolution layer.
 *
 * @throws InvalidArgumentError for weights, bias or window that do not fit each other; the message names the layer
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { conv2d } from '@he-ml/nn-layers'
 * const weights = createTensor([1, 1, 2, 2], Float64Array.of(1, 1, 1, 1))
 * const layer = conv2d({ name: 'sum', weights, stride: 2 })
 * const y = layer.forward([createTensor([1, 2, 4], Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8))])
 * console.log(y.shape, y.data) // [1, 1, 2], [14, 22]
 * ```
 */
export const conv2d = (options: Conv2dOptions): Conv2dLayer => new Conv2dLayer(checkLayerOptions('conv2d', options))
