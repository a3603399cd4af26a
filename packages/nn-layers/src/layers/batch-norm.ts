/**
 * Batch normalisation with fixed statistics: an affine function per channel. Alone it costs a level, but for shifts, which cost none;
 * `foldBatchNorm` puts it into the convolution or linear layer before it, for free.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { createTensor, digestNumbers, type Layer, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import type { Lowerable, LowerContext, LoweredLayer, SlotLayout } from '@he-ml/packing'
import { forwardLinear } from '../linear-map/forward.ts'
import { type LinearMap, POINT_WINDOW } from '../linear-map/linear-map.ts'
import { lowerShift } from '../lowered/lower-shift.ts'
import type { Conv2dLayer } from './conv2d.ts'
import { checkLayerOptions } from './layer-options.ts'
import type { LinearLayer } from './linear.ts'
import { lowerLinear } from './lower-linear.ts'
import { checkFactor, checkFinite, only, scaled } from './single-input.ts'

/** Options of {@link batchNorm}. */
export interface BatchNormOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** One of each per channel (or feature). */
  readonly mean: Float64Array
  /** Not negative; as many as `mean`. */
  readonly variance: Float64Array
  /** Default 1. */
  readonly gamma?: Float64Array
  /** Default 0. */
  readonly beta?: Float64Array
  /** Default 1e-5. */
  readonly epsilon?: number
}

/** y = multiplier * x + shift, per channel. See {@link batchNorm}. */
export class BatchNormLayer implements Layer, FloatLayer, Lowerable {
  readonly kind = 'batchNorm'
  readonly arity = 1
  readonly name: string
  /** One per channel. */
  readonly multiplier: Float64Array
  /** One per channel. */
  readonly shift: Float64Array

  constructor(name: string, multiplier: Float64Array, shift: Float64Array) {
    if (multiplier.length === 0 || multiplier.length !== shift.length)
      throw new InvalidArgumentError(
        `layer "${name}": expected as many multipliers as shifts, got ${multiplier.length} and ${shift.length}`,
      )
    checkFinite(name, 'multiplier', multiplier)
    checkFinite(name, 'shift', shift)
    this.name = name
    this.multiplier = multiplier
    this.shift = shift
  }

  digestParts(): readonly Uint8Array[] {
    return [digestNumbers(this.multiplier), digestNumbers(this.shift)]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    const shape = only(this.name, inputs)
    if ((shape.length !== 1 && shape.length !== 3) || shape[0] !== this.multiplier.length)
      throw new InvalidArgumentError(
        `layer "${this.name}": expected ${this.multiplier.length} channels, got an input [${shape}]`,
      )
    return shape
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const input = only(this.name, inputs)
    return forwardLinear(this.#map(this.outputShape([input.shape])), input)
  }
  async forwardFloat(kernels: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const { shape, count, data } = only(this.name, inputs)
    this.outputShape([shape])
    const channels = this.multiplier.length
    const output = new Float32Array(data.length)
    await kernels.scaleChannels({
      images: count,
      channels,
      positions: sizeOf(shape) / channels,
      input: data,
      scale: Float32Array.from(this.multiplier),
      shift: Float32Array.from(this.shift),
      output,
    })
    return { shape, count, data: output }
  }
  lower(inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer {
    const input = only(this.name, inputs)
    this.outputShape([input.shape])
    if (this.multiplier.every((m) => m === 1)) return lowerShift(this.name, this.shift, input)
    const inPlace = context.prefer || input.kind !== 'multiplexed' ? {} : { prefer: input }
    return lowerLinear(this.#map(this.outputShape([input.shape])), input, { ...context, ...inPlace })
  }
  scaleOutput(factor: number): BatchNormLayer {
    checkFactor(this.name, factor)
    return new BatchNormLayer(this.name, scaled(this.multiplier, factor), scaled(this.shift, factor))
  }
  scaleInput(factor: number): BatchNormLayer {
    checkFactor(this.name, factor)
    return new BatchNormLayer(this.name, scaled(this.multiplier, factor), this.shift)
  }

  #map(shape: Shape): LinearMap {
    const [channels, height, width] = shape.length === 3 ? (shape as [number, number, number]) : [shape[0]!, 1, 1]
    const size = [channels, height, width] as const
    return {
      name: this.name,
      input: size,
      output: size,
      outputShape: shape,
      window: POINT_WINDOW,
      groups: channels,
      weight: (o) => this.multiplier[o]!,
      bias: this.shift,
    }
  }
}

/** Options of {@link affine}. */
export interface AffineOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** One for each channel (or feature); default 1, at no level. */
  readonly multiplier?: Float64Array
  /** One for each channel; default 0. */
  readonly shift?: Float64Array
}

/**
 * multiplier * x + shift, with numbers per channel: one level; none without multipliers, and none where `foldBatchNorm` has put it into the
 * convolution or linear layer before it.
 *
 * @throws InvalidArgumentError for different lengths, none of both, or values that are not finite
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { affine } from '@he-ml/nn-layers'
 * const layer = affine({ name: 'scale', multiplier: Float64Array.of(2, 3), shift: Float64Array.of(0, 1) })
 * console.log(layer.forward([createTensor([2], Float64Array.of(1, 1))]).data) // [2, 4]
 * ```
 */
export function affine(options: AffineOptions): BatchNormLayer {
  const { name, multiplier, shift } = checkLayerOptions('affine', options)
  const length = (multiplier ?? shift)?.length ?? 0
  return new BatchNormLayer(name, multiplier ?? new Float64Array(length).fill(1), shift ?? new Float64Array(length))
}

/**
 * Batch normalisation as trained: gamma (x - mean) / sqrt(variance + epsilon) + beta.
 *
 * @throws InvalidArgumentError for different lengths, a negative variance or values that are not finite
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { batchNorm } from '@he-ml/nn-layers'
 * const layer = batchNorm({ name: 'bn', mean: Float64Array.of(1), variance: Float64Array.of(4), epsilon: 0 })
 * console.log(layer.forward([createTensor([1], Float64Array.of(5))]).data) // [2]
 * ```
 */
export function batchNorm(options: BatchNormOptions): BatchNormLayer {
  const { name, mean, variance, gamma, beta, epsilon = 1e-5 } = checkLayerOptions('batchNorm', options)
  for (const values of [variance, gamma, beta])
    if (values && values.length !== mean.length)
      throw new InvalidArgumentError(
        `layer "${name}": expected ${mean.length} values per channel statistic, got ${values.length}`,
      )
  const multiplier = mean.map((_, c) => {
    const spread = variance[c]! + epsilon
    if (!(spread > 0))
      throw new InvalidArgumentError(
        `layer "${name}": variance + epsilon must be positive, got ${spread} in channel ${c}`,
      )
    return (gamma?.[c] ?? 1) / Math.sqrt(spread)
  })
  return new BatchNormLayer(
    name,
    multiplier,
    mean.map((m, c) => (beta?.[c] ?? 0) - m * multiplier[c]!),
  )
}

/**
 * The convolution (or linear layer) followed by the normalisation as one layer, under the first one's name.
 *
 * @throws InvalidArgumentError when the numbers of channels differ
 */
export function foldBatchNorm<T extends Conv2dLayer | LinearLayer>(layer: T, norm: BatchNormLayer): T {
  const { weights, bias } = layer
  const channels = weights.shape[0]!
  if (norm.multiplier.length !== channels)
    throw new InvalidArgumentError(
      `batch norm "${norm.name}" has ${norm.multiplier.length} channels, layer "${layer.name}" puts out ${channels}`,
    )
  const row = weights.data.length / channels
  const data = weights.data.map((w, i) => w * norm.multiplier[Math.floor(i / row)]!)
  const shift = norm.shift.map((s, c) => s + norm.multiplier[c]! * (bias?.[c] ?? 0))
  return layer.replace(createTensor(weights.shape, data), shift) as T
}
