/**
 * x above 0, slope * x below, with a slope for each channel. As max(x, 0) + a min(x, 0) = a x + s m relu(r x), where s is the sign of
 * 1 - a, m the largest |1 - a| and r = |1 - a| / m, all channels share the polynomial of one ReLU, which is calibrated on the layer's
 * input. Where a ciphertext holds one channel, its polynomial is of its own and takes no level more; elsewhere r is multiplied in, which
 * takes the level of a mask or a normalisation, and a x is added to what comes out.
 */
import {
  type ActivationPolynomial,
  forwardPolynomial,
  interpolateChebyshev,
  leakyRelu,
  prepareActivation,
  type SeriesPolynomial,
} from '@he-ml/activations'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { type CalibratedLayer, createTensor, digestNumbers, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import type { Lowerable, LoweredLayer, SlotLayout } from '@he-ml/packing'
import { lowerActivation } from '../lowered/lower-activation.ts'
import { lowerPrelu } from '../lowered/lower-prelu.ts'
import { ActivationLayer } from './activation.ts'
import { channelPlaces } from './channel-polynomials.ts'
import { scalePolynomial } from './choose-polynomial.ts'
import { checkLayerOptions } from './layer-options.ts'
import { OnReluLayer } from './on-relu.ts'
import { checkFinite, only } from './single-input.ts'

/** Options of {@link prelu}. */
export interface PreluOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** One for each channel (or feature), or one for all. */
  readonly slopes: Float64Array
}

/** See {@link prelu}. */
export class PreluLayer extends OnReluLayer<PreluLayer> implements CalibratedLayer, FloatLayer, Lowerable {
  readonly kind = 'prelu'
  readonly arity = 1
  readonly gapSensitive = true
  readonly channelwise = true
  /** Of each channel, where the input is below 0. */
  readonly slopes: Float64Array
  /** The largest |1 - slope|. */
  readonly #most: number

  constructor(name: string, slopes: Float64Array, relu?: ActivationLayer) {
    super(name, relu)
    checkFinite(name, 'slopes', slopes)
    if (slopes.every((slope) => slope === 1))
      throw new InvalidArgumentError(`layer "${name}": expected slopes other than 1, got none: leave the layer out`)
    this.slopes = slopes
    this.#most = slopes.reduce((most, slope) => Math.max(most, Math.abs(1 - slope)), 0)
  }

  digestParts(): readonly Uint8Array[] {
    return [digestNumbers(this.slopes), ...this.relu.digestParts()]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    const shape = only(this.name, inputs)
    if (shape[0] !== this.slopes.length)
      throw new InvalidArgumentError(
        `layer "${this.name}": expected ${this.slopes.length} channels, one for each slope, got an input [${shape}]`,
      )
    return shape
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const { inputFactor, outputFactor } = this.relu
    return this.#map(inputs, (t, slope) => {
      const x = t / inputFactor
      return outputFactor * (x > 0 ? x : slope * x)
    })
  }
  forwardApproximate(inputs: readonly Tensor[]): Tensor {
    const polynomial = this.polynomial
    const { inputFactor, outputFactor } = this.relu
    return this.#map(inputs, (t, slope) => {
      const { ratio, sign } = this.#shares(slope)
      const x = t / inputFactor
      return outputFactor * (sign * this.#most * forwardPolynomial(polynomial, ratio * x) + slope * x)
    })
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const { shape, count, data } = only(this.name, inputs)
    this.outputShape([shape])
    const { inputFactor, outputFactor } = this.relu
    const size = sizeOf(shape)
    const plane = size / this.slopes.length
    const output = data.map((t, i) => {
      const x = t / inputFactor
      return outputFactor * (x > 0 ? x : this.slopes[Math.floor((i % size) / plane)]! * x)
    })
    return { shape, count, data: output }
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    const input = only(this.name, inputs)
    this.outputShape([input.shape])
    const polynomial = this.polynomial
    const places = channelPlaces(input)
    return polynomial.kind === 'series' && places?.share === 1
      ? this.#lowerOwn(polynomial, input, places.groupAt)
      : this.#lowerShared(polynomial, input)
  }

  /** Each ciphertext with the polynomial of its channel. */
  #lowerOwn(polynomial: SeriesPolynomial, input: SlotLayout, channelAt: (ciphertext: number) => number): LoweredLayer {
    const made = [...this.slopes].map((slope) =>
      prepareActivation(this.#ofSlope(polynomial, slope), { normalizedInput: true }),
    )
    const { inputScale, outputFactor } = this.relu
    return lowerActivation(
      {
        name: this.name,
        inputScale,
        offset: offsetOf(polynomial),
        // for predictions: the channel that bends most
        prepared: made[this.slopes.findIndex((slope) => Math.abs(1 - slope) === this.#most)]!,
        own: (ciphertext) => made[channelAt(ciphertext)]!,
        atZero: outputFactor * forwardPolynomial(polynomial, 0),
      },
      input,
    )
  }
  /** On the same range, and of the same degree and depth. */
  #ofSlope(polynomial: SeriesPolynomial, slope: number): SeriesPolynomial {
    const { ratio, sign } = this.#shares(slope)
    const { outputFactor } = this.relu
    const value = (x: number): number =>
      outputFactor * (sign * this.#most * forwardPolynomial(polynomial, ratio * x) + slope * x)
    return {
      ...polynomial,
      series: interpolateChebyshev(value, polynomial.series.coefficients.length - 1, polynomial.range),
    }
  }
  #lowerShared(polynomial: ActivationPolynomial, input: SlotLayout): LoweredLayer {
    const { inputScale, inputFactor, outputFactor } = this.relu
    const shares = [...this.slopes].map((slope) => this.#shares(slope))
    // a composite takes positive factors only
    const turn = polynomial.kind === 'series' ? 1 : Math.sign(outputFactor)
    const scaled = scalePolynomial(this.name, polynomial, turn * outputFactor * this.#most)
    return lowerPrelu(
      {
        name: this.name,
        ratios: Float64Array.from(shares, ({ ratio }) => ratio * inputScale),
        offset: offsetOf(polynomial),
        prepared: prepareActivation(scaled, { normalizedInput: true }),
        signs: Float64Array.from(shares, ({ sign }) => turn * sign),
        linear: this.slopes.map((slope) => (outputFactor * slope) / inputFactor),
        atZero: outputFactor * forwardPolynomial(polynomial, 0),
      },
      input,
    )
  }

  /** What a channel reads the shared ReLU with; one of slope 1 has none of it. */
  #shares(slope: number): { readonly ratio: number; readonly sign: number } {
    return { ratio: slope === 1 ? 1 : Math.abs(1 - slope) / this.#most, sign: Math.sign(1 - slope) }
  }
  #map(inputs: readonly Tensor[], f: (x: number, slope: number) => number): Tensor {
    const { shape, data } = only(this.name, inputs)
    this.outputShape([shape])
    const plane = data.length / this.slopes.length
    return createTensor(
      shape,
      data.map((x, i) => f(x, this.slopes[Math.floor(i / plane)]!)),
    )
  }
  protected withRelu(relu: ActivationLayer): PreluLayer {
    return new PreluLayer(this.name, this.slopes, relu)
  }
}

/** Moves the middle of the range to 0. */
const offsetOf = ({ range: [lo, hi] }: ActivationPolynomial): number => -(lo + hi) / (hi - lo)

/**
 * A parametric ReLU: x above 0, slope * x below. With one slope for all it is the activation `leakyRelu`. Levels: those of the ReLU's
 * polynomial where a ciphertext holds one channel (batches), and one more where it holds several, which a normalisation that could not
 * be saved has anyway; one more again there with a slope above 1 beside others.
 *
 * @throws InvalidArgumentError for slopes that are not finite, or all 1
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { prelu } from '@he-ml/nn-layers'
 * const layer = prelu({ name: 'act', slopes: Float64Array.of(0.1, 0.5) })
 * console.log(layer.forward([createTensor([2], Float64Array.of(-1, -1))]).data) // [-0.1, -0.5]
 * ```
 */
export function prelu(options: PreluOptions): PreluLayer | ActivationLayer {
  const { name, slopes } = checkLayerOptions('prelu', options)
  if (slopes.length === 0) throw new InvalidArgumentError(`layer "${name}": expected slopes, got none`)
  checkFinite(name, 'slopes', slopes)
  if (slopes.length > 1) return new PreluLayer(name, slopes)
  return new ActivationLayer(name, leakyRelu(slopes[0]!), { inputFactor: 1, outputFactor: 1 })
}
