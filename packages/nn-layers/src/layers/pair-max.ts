/**
 * One round of max pooling: the larger of two elements some rows or columns apart, at every stride-th place, as a + relu(b - a). The
 * ReLU is calibrated on the differences b - a, which are smaller than the values where neighbours are alike.
 */
import { forwardPolynomial, prepareActivation } from '@he-ml/activations'
import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { type CalibratedLayer, createTensor, digestText, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import type { Lowerable, LoweredLayer, SlotLayout } from '@he-ml/packing'
import type { Pair } from '../linear-map/linear-map.ts'
import { imageShape } from '../linear-map/window.ts'
import { lowerPairMax } from '../lowered/lower-pair-max.ts'
import type { ActivationLayer } from './activation.ts'
import { scalePolynomial } from './choose-polynomial.ts'
import { OnReluLayer } from './on-relu.ts'
import { only } from './single-input.ts'

/** Options of {@link PairMaxLayer}. */
export interface PairMaxOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** From the first element of a pair to the second; one of them 0. */
  readonly apart: Pair
  /** From one pair to the next. */
  readonly stride: Pair
}

/** See {@link maxPool2d}, which makes these. */
export class PairMaxLayer extends OnReluLayer<PairMaxLayer> implements CalibratedLayer, FloatLayer, Lowerable {
  readonly kind = 'pairMax'
  readonly arity = 1
  readonly channelwise = true
  /** Rows and columns from the first element of a pair to the second. */
  readonly apart: Pair
  /** Rows and columns from one pair to the next. */
  readonly stride: Pair

  constructor({ name, apart, stride }: PairMaxOptions, relu?: ActivationLayer) {
    super(name, relu)
    this.apart = apart
    this.stride = stride
  }

  digestParts(): readonly Uint8Array[] {
    return [digestText([this.apart, this.stride]), ...this.relu.digestParts()]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    const [channels, ...sizes] = imageShape(this.name, only(this.name, inputs))
    if (sizes.some((size, axis) => size <= this.apart[axis]!))
      throw new InvalidArgumentError(
        `layer "${this.name}": compares elements ${this.apart} rows and columns apart, got an image of [${sizes}]`,
      )
    return [channels, ...sizes.map((size, axis) => Math.floor((size - this.apart[axis]! - 1) / this.stride[axis]!) + 1)]
  }
  /** b - a of every pair. */
  observed(inputs: readonly Tensor[]): Tensor {
    return this.#map(inputs, (a, b) => b - a)
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const factor = this.#line
    return this.#map(
      inputs,
      (a, b) => factor * a + this.relu.outputFactor * Math.max(0, (b - a) / this.relu.inputFactor),
    )
  }
  forwardApproximate(inputs: readonly Tensor[]): Tensor {
    const polynomial = this.polynomial
    const { inputFactor, outputFactor } = this.relu
    return this.#map(
      inputs,
      (a, b) => this.#line * a + outputFactor * forwardPolynomial(polynomial, (b - a) / inputFactor),
    )
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const { shape, count, data } = only(this.name, inputs)
    const { firsts, seconds, shape: output } = this.#pairs(shape)
    const { inputFactor, outputFactor } = this.relu
    const results = new Float32Array(count * firsts.length)
    const size = sizeOf(shape)
    for (let n = 0, written = 0; n < count; n++)
      for (const [i, at] of firsts.entries()) {
        const [a, b] = [data[n * size + at]!, data[n * size + seconds[i]!]!]
        results[written++] = this.#line * a + outputFactor * Math.max(0, (b - a) / inputFactor)
      }
    return { shape: output, count, data: results }
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    const input = only(this.name, inputs)
    const { firsts, seconds, shape } = this.#pairs(input.shape)
    if (input.kind === 'channel' && input.shape.length !== 3)
      throw new UnsupportedError(`layer "${this.name}": expected an image in a channel layout, got [${input.shape}]`)
    const polynomial = this.polynomial
    const { inputScale, outputFactor } = this.relu
    const [lo, hi] = polynomial.range
    const scaled = scalePolynomial(this.name, polynomial, outputFactor)
    return lowerPairMax(
      {
        name: this.name,
        shape,
        firsts,
        seconds,
        apart: this.apart,
        inputScale,
        offset: -(lo + hi) / (hi - lo),
        prepared: prepareActivation(scaled, { normalizedInput: true }),
        linear: this.#line,
        atZero: outputFactor * forwardPolynomial(polynomial, 0),
      },
      input,
    )
  }

  /** The first arrives times the input's factor and leaves times the output's. */
  get #line(): number {
    return this.relu.outputFactor / this.relu.inputFactor
  }
  #pairs(input: Shape): { readonly shape: Shape; readonly firsts: Int32Array; readonly seconds: Int32Array } {
    const shape = this.outputShape([input])
    const [channels, rows, columns] = shape as [number, number, number]
    const [, height, width] = input as [number, number, number]
    const firsts = new Int32Array(sizeOf(shape))
    let i = 0
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++) firsts[i++] = (c * height + y * this.stride[0]) * width + x * this.stride[1]
    const step = this.apart[0] * width + this.apart[1]
    return { shape, firsts, seconds: firsts.map((first) => first + step) }
  }
  #map(inputs: readonly Tensor[], f: (a: number, b: number) => number): Tensor {
    const input = only(this.name, inputs)
    const { firsts, seconds, shape } = this.#pairs(input.shape)
    return createTensor(
      shape,
      Float64Array.from(firsts, (first, i) => f(input.data[first]!, input.data[seconds[i]!]!)),
    )
  }
  protected withRelu(relu: ActivationLayer): PairMaxLayer {
    return new PairMaxLayer(this, relu)
  }
}
