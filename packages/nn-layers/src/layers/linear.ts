/** A fully connected layer over [features]: one level, in every packing. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { type ChannelFactors, createTensor, digestNumbers, type Layer, type Shape, type Tensor } from '@he-ml/model'
import type { Lowerable, LowerContext, LoweredLayer, SlotLayout } from '@he-ml/packing'
import { type LinearMap, POINT_WINDOW } from '../linear-map/linear-map.ts'
import { checkLayerOptions } from './layer-options.ts'
import { lowerLinear } from './lower-linear.ts'
import { checkFactor, checkFinite, checkShapeOf, only, scaled } from './single-input.ts'

/** Options of {@link linear}. */
export interface LinearOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** [output features, input features]. */
  readonly weights: Tensor
  /** One per output feature; absent: zero. */
  readonly bias?: Float64Array
}

/** See {@link linear}. */
export class LinearLayer implements Layer, FloatLayer, Lowerable {
  readonly kind = 'linear'
  readonly arity = 1
  readonly name: string
  /** [output features, input features]. */
  readonly weights: Tensor
  /** One per output feature; undefined: zeros. */
  readonly bias: Float64Array | undefined

  constructor({ name, weights, bias }: LinearOptions) {
    this.name = name
    if (weights.shape.length !== 2)
      throw new InvalidArgumentError(
        `layer "${name}": weights should be [output features, input features], got [${weights.shape}]`,
      )
    if (bias && bias.length !== weights.shape[0])
      throw new InvalidArgumentError(`layer "${name}": expected ${weights.shape[0]} bias values, got ${bias.length}`)
    checkFinite(name, 'weights', weights.data)
    if (bias) checkFinite(name, 'bias', bias)
    this.weights = weights
    this.bias = bias
  }

  digestParts(): readonly Uint8Array[] {
    return [digestNumbers(this.weights.data), digestNumbers(this.bias ?? [])]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    const shape = only(this.name, inputs)
    if (shape.length !== 1 || shape[0] !== this.weights.shape[1])
      throw new InvalidArgumentError(
        `layer "${this.name}": expected an input [${this.weights.shape[1]}], got [${shape}]${shape.length > 1 ? ': flatten it first' : ''}`,
      )
    return [this.weights.shape[0]!]
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const input = only(this.name, inputs)
    checkShapeOf(this.name, 'the input', input, [this.weights.shape[1]!])
    const [rows, columns] = this.weights.shape as [number, number]
    const result = new Float64Array(rows)
    for (let row = 0; row < rows; row++) {
      let sum = this.bias?.[row] ?? 0
      for (let column = 0; column < columns; column++)
        sum += this.weights.data[row * columns + column]! * input.data[column]!
      result[row] = sum
    }
    return createTensor([rows], result)
  }
  async forwardFloat(kernels: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const { shape, count, data } = only(this.name, inputs)
    const outputShape = this.outputShape([shape])
    const [rows, columns] = this.weights.shape as [number, number]
    const c = new Float32Array(count * rows)
    if (this.bias) for (let i = 0; i < count; i++) c.set(this.bias, i * rows)
    const b = Float32Array.from(this.weights.data)
    await kernels.gemm({ m: count, n: rows, k: columns, a: data, b, c, transposeB: true, beta: this.bias ? 1 : 0 })
    return { shape: outputShape, count, data: c }
  }
  lower(inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer {
    const input = only(this.name, inputs)
    this.outputShape([input.shape])
    const [rows, columns] = this.weights.shape as [number, number]
    const { data } = this.weights
    const map: LinearMap = {
      name: this.name,
      input: [columns, 1, 1],
      output: [rows, 1, 1],
      outputShape: [rows],
      window: POINT_WINDOW,
      groups: 1,
      weight: (o, c) => data[o * columns + c]!,
      ...(this.bias ? { bias: this.bias } : {}),
    }
    return lowerLinear(map, input, context)
  }
  scaleOutput(factor: number): LinearLayer {
    checkFactor(this.name, factor)
    return this.#with(factor, factor)
  }
  scaleInput(factor: number): LinearLayer {
    checkFactor(this.name, factor)
    return this.#with(factor, 1)
  }

  #with(weightFactor: number, biasFactor: number): LinearLayer {
    const weights = createTensor(this.weights.shape, scaled(this.weights.data, weightFactor))
    return this.replace(weights, this.bias && scaled(this.bias, biasFactor))
  }

  scaleChannels({ input, output }: ChannelFactors): LinearLayer {
    const columns = this.weights.shape[1]!
    const data = this.weights.data.map((weight, i) => weight * output[Math.floor(i / columns)]! * input[i % columns]!)
    return this.replace(
      createTensor(this.weights.shape, data),
      this.bias?.map((b, o) => b * output[o]!),
    )
  }

  /** The same layer with other numbers. */
  replace(weights: Tensor, bias: Float64Array | undefined): LinearLayer {
    return new LinearLayer({ name: this.name, weights, ...(bias ? { bias } : {}) })
  }
}

/**
 * A fully connected layer.
 *
 * @throws InvalidArgumentError for weights and bias that do not fit each other; the message names the layer
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * const layer = linear({ name: 'fc', weights: createTensor([1, 2], Float64Array.of(2, 3)), bias: Float64Array.of(1) })
 * console.log(layer.forward([createTensor([2], Float64Array.of(10, 100))]).data) // [321]
 * ```
 */
export const linear = (options: LinearOptions): LinearLayer => new LinearLayer(checkLayerOptions('linear', options))
