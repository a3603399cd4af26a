/**
 * Activations by a polynomial on a calibrated range [lo, hi] that holds 0; trained networks are lopsided, and the shorter
 * range is worth up to a bit. The layer stands for c * f(t / d) of its input t = d x: c and d are factors that neighbours
 * hold the values with. The circuit wants t / (d B), B half the length of the range: an integer multiple of t, at best 1,
 * costs no level, and moving the range's middle to 0 is an addition, which is free too. Slots without an element must not
 * hold large values, because a polynomial leaves its range like x^degree: they are masked, at the price of a level, when the
 * layout says that anything may be there.
 */
import {
  type ActivationFunction,
  type ActivationName,
  type ActivationPolynomial,
  activationFunction,
  activationIdentity,
  type EvaluateActivationOptions,
  forwardPolynomial,
  type PreparedActivation,
  parsePolynomial,
  prepareActivation,
} from '@he-ml/activations'
import { contentHash, FormatError, InvalidArgumentError, PlanError, UnsupportedError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import {
  type CalibratedLayer,
  type CalibrationOptions,
  createTensor,
  digestText,
  type FittedForm,
  type InputStatistics,
  type Shape,
  type Tensor,
  WIDEST_RANGE,
} from '@he-ml/model'
import type { Lowerable, LoweredLayer, SlotLayout } from '@he-ml/packing'
import { mapBatch } from '../floats/elementwise.ts'
import { lowerActivation } from '../lowered/lower-activation.ts'
import {
  type ChannelPolynomials,
  channelPlaces,
  fitChannels,
  type LazyChannels,
  ofGroup,
  parseChannels,
} from './channel-polynomials.ts'
import { choosePolynomial, type Origin, samplesOf, scalePolynomial } from './choose-polynomial.ts'
import { checkLayerOptions } from './layer-options.ts'
import { checkFactor, only } from './single-input.ts'
import { SquareLayer } from './square.ts'

/**
 * Functions of activation layers: those of the catalogue by name, others as `leakyRelu`, `elu`, `hardSigmoid`, `clip` and
 * `customActivation` of activations make them. 'square' is exact, the others are approximated.
 */
export type ActivationLayerFunction = Exclude<ActivationName, 'sign'> | ActivationFunction

/** Options of {@link activation}. */
export interface ActivationOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** What it computes in the clear. */
  readonly function: ActivationLayerFunction
  /** A polynomial found before; default: `calibrate` finds one. Its range must hold 0. */
  readonly polynomial?: ActivationPolynomial
}

interface State {
  readonly polynomial?: ActivationPolynomial
  readonly origin?: Origin
  readonly channels?: LazyChannels
  readonly outputFactor: number
  readonly inputFactor: number
}

/** Quotients of doubles that differ from an integer by less are that integer. */
const ROUND_OFF = 1e-9

/** See {@link activation}. */
export class ActivationLayer implements CalibratedLayer, FloatLayer, Lowerable {
  readonly kind = 'activation'
  readonly arity = 1
  readonly gapSensitive = true
  readonly observesChannels = true
  readonly name: string
  /** Its name, as polynomials and plans tell it. */
  readonly function: string
  /** What it computes in the clear. */
  readonly definition: ActivationFunction
  /** Absent before calibration. */
  readonly polynomial: ActivationPolynomial | undefined
  /** The output is multiplied by this. */
  readonly outputFactor: number
  /** Inputs arrive multiplied by this. */
  readonly inputFactor: number
  readonly #origin: Origin | undefined
  readonly #channels: LazyChannels | undefined
  /** By the channels that share one. */
  readonly #suited = new Map<number, ActivationLayer>()

  constructor(name: string, fn: ActivationLayerFunction, state: State) {
    this.name = name
    this.definition = activationFunction(fn)
    this.function = this.definition.name
    this.polynomial = state.polynomial
    this.outputFactor = state.outputFactor
    this.inputFactor = state.inputFactor
    this.#origin = state.origin
    this.#channels = state.channels
    const range = state.polynomial?.range
    if (range && !(range[0] <= 0 && range[1] >= 0))
      throw new InvalidArgumentError(`layer "${name}": expected a polynomial on a range that holds 0, got [${range}]`)
  }

  get channelwise(): boolean {
    return this.definition.positivelyHomogeneous ?? false
  }
  get calibrated(): boolean {
    return this.polynomial !== undefined
  }
  /** Half the length of the range: B of [-B, B]. */
  get halfRange(): number {
    const [lo, hi] = this.polynomial?.range ?? [-1, 1]
    return (hi - lo) / 2
  }
  get fittedRange(): readonly [low: number, high: number] | undefined {
    const [low, high] = (this.polynomial?.range ?? []).map((end) => end * this.inputFactor)
    return low === undefined || high === undefined ? undefined : low < high ? [low, high] : [high, low]
  }
  /** Polynomials in place of `polynomial`, for inputs whose channels lie in ciphertexts of their own. */
  get channels(): ChannelPolynomials | undefined {
    return this.#channels && { share: this.#channels.share, coefficients: this.#channels.coefficients() }
  }
  get inputScale(): number {
    const scale = 1 / (this.halfRange * this.inputFactor)
    const integer = Math.round(scale)
    return Math.abs(scale - integer) < ROUND_OFF * scale ? integer : scale
  }

  digestParts(): readonly Uint8Array[] {
    return [digestText([activationIdentity(this.definition), this.fittedForm ? contentHash(this.fittedForm) : null])]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    return only(this.name, inputs)
  }
  forward(inputs: readonly Tensor[]): Tensor {
    return this.#map(only(this.name, inputs), this.definition.evaluate)
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const f = this.function === 'relu' ? this.function : this.definition.evaluate
    return mapBatch(only(this.name, inputs), f, this)
  }
  forwardApproximate(inputs: readonly Tensor[]): Tensor {
    const polynomial = this.#polynomial()
    const input = only(this.name, inputs)
    const { channels } = this
    if (!channels || polynomial.kind !== 'series') return this.#map(input, (x) => forwardPolynomial(polynomial, x))
    const own = channels.coefficients.map((coefficients) => ofGroup(polynomial, coefficients))
    const size = (input.data.length / input.shape[0]!) * channels.share
    return this.#map(input, (x, i) => forwardPolynomial(own[Math.floor(i / size)]!, x))
  }
  calibrate(statistics: InputStatistics, options: CalibrationOptions): ActivationLayer {
    const polynomial = choosePolynomial(this, { statistics, options })
    return this.#with({ polynomial, origin: { statistics, options }, inputFactor: 1 })
  }
  get fittedForm(): FittedForm | undefined {
    const { polynomial, inputFactor, outputFactor, channels } = this
    return polynomial && { polynomial, inputFactor, outputFactor, ...(channels ? { channels } : {}) }
  }
  withFittedForm({ polynomial, inputFactor, outputFactor, channels }: FittedForm): ActivationLayer {
    const where = `activation "${this.name}"`
    const parsed = parsePolynomial(polynomial, where)
    if (parsed.function !== this.function)
      throw new FormatError(`${where}: expected a polynomial for ${this.function}, got one for ${parsed.function}`)
    const own = channels === undefined ? undefined : parseChannels(channels, parsed, where)
    return new ActivationLayer(this.name, this.definition, {
      polynomial: parsed,
      ...(own ? { channels: own } : {}),
      inputFactor: factorOf(where, inputFactor),
      outputFactor: factorOf(where, outputFactor),
    })
  }
  withInputFactor(factor: number): ActivationLayer {
    checkFactor(this.name, factor)
    this.#polynomial()
    const exact = this.#with({ inputFactor: this.inputFactor * factor })
    const { inputScale } = exact
    const widening = inputScale / Math.floor(inputScale)
    if (Number.isInteger(inputScale) || !(widening > 1 && widening <= WIDEST_RANGE + ROUND_OFF)) return exact
    return exact.#widened(widening) ?? exact
  }
  scaleOutput(factor: number): ActivationLayer {
    checkFactor(this.name, factor)
    return this.#with({ outputFactor: this.outputFactor * factor })
  }
  /** With polynomials of their own for the channels of each ciphertext, where they are known well enough. */
  suited(inputs: readonly SlotLayout[]): ActivationLayer {
    const input = only(this.name, inputs)
    const places = channelPlaces(input)
    const { polynomial } = this
    if (!places || polynomial?.kind !== 'series' || !this.#origin || this.#channels) return this
    // a line is what all channels want; and what keeps gaps at zero goes on to do so
    if (polynomial.degree < 2 || forwardPolynomial(polynomial, 0) === 0) return this
    const { statistics, options } = this.#origin
    const { method, error, perChannel = true } = options
    const { channels } = statistics
    // a wanted error holds for every value of the range, wherever a channel's are
    if (!perChannel || method !== 'least-squares' || error !== undefined) return this
    if (!channels || channels.counts.length !== input.shape[0]) return this
    const known =
      this.#suited.get(places.share) ??
      this.#with({ channels: fitChannels(this.definition, polynomial, channels, places.share) })
    this.#suited.set(places.share, known)
    return known
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    const input = only(this.name, inputs)
    const polynomial = scalePolynomial(this.name, this.#polynomial(), this.outputFactor)
    const options = { normalizedInput: true, ...samplesOf(this.#polynomial().range, this.#origin) }
    return lowerActivation(
      {
        name: this.name,
        inputScale: this.inputScale,
        offset: -(polynomial.range[0] + polynomial.range[1]) / (polynomial.range[1] - polynomial.range[0]),
        prepared: this.#prepared(polynomial, options),
        ...(this.#channels ? { own: this.#ownPrepared(this.#channels, input, options) } : {}),
        atZero: this.outputFactor * forwardPolynomial(this.#polynomial(), 0),
      },
      input,
    )
  }

  /** For each ciphertext the circuit of its channels; made when asked for. @throws UnsupportedError where channels lie otherwise */
  #ownPrepared(
    { share, groups, coefficients }: LazyChannels,
    input: SlotLayout,
    options: EvaluateActivationOptions,
  ): (ciphertext: number) => PreparedActivation {
    const places = channelPlaces(input)
    const polynomial = this.#polynomial()
    if (polynomial.kind !== 'series' || places?.share !== share || groups !== Math.ceil(input.shape[0]! / share))
      throw new UnsupportedError(
        `activation "${this.name}": it has ${groups} polynomials, for ${share} channels each, and its input of ${input.shape[0]} channels lies otherwise: make a plan for this packing`,
      )
    const made = new Map<number, PreparedActivation>()
    return (ciphertext) => {
      const group = places.groupAt(ciphertext)
      const own =
        made.get(group) ??
        this.#prepared(
          scalePolynomial(this.name, ofGroup(polynomial, coefficients()[group]!), this.outputFactor),
          options,
        )
      made.set(group, own)
      return own
    }
  }

  /** The circuit, refused by the layer's name. */
  #prepared(...given: Parameters<typeof prepareActivation>): ReturnType<typeof prepareActivation> {
    try {
      return prepareActivation(...given)
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error
      throw new InvalidArgumentError(`activation "${this.name}": ${error.message}`, { cause: error })
    }
  }

  /** With a polynomial found on a range longer by this factor; undefined when there is none of the wanted error. */
  #widened(factor: number): ActivationLayer | undefined {
    if (!this.#origin || this.#channels) return undefined
    try {
      return this.#with({ polynomial: choosePolynomial(this, this.#origin, factor) })
    } catch (error) {
      if (!(error instanceof PlanError)) throw error
      return undefined
    }
  }
  #polynomial(): ActivationPolynomial {
    if (this.polynomial) return this.polynomial
    throw new PlanError(
      'range',
      `activation "${this.name}" has no polynomial yet: run fit(model, data) and compile with its result, or call calibrate`,
    )
  }
  #map(input: Tensor, f: (x: number, index: number) => number): Tensor {
    return createTensor(
      input.shape,
      input.data.map((t, i) => this.outputFactor * f(t / this.inputFactor, i)),
    )
  }
  #with(change: Partial<State>): ActivationLayer {
    const { polynomial, outputFactor, inputFactor } = this
    const [origin, channels] = [this.#origin, this.#channels]
    return new ActivationLayer(this.name, this.definition, {
      outputFactor,
      inputFactor,
      ...(polynomial ? { polynomial } : {}),
      ...(origin ? { origin } : {}),
      ...(channels ? { channels } : {}),
      ...change,
    })
  }
}

function factorOf(where: string, factor: unknown): number {
  if (typeof factor === 'number' && Number.isFinite(factor) && factor !== 0) return factor
  throw new FormatError(`${where}: expected a finite factor other than 0, got ${factor}`)
}

/**
 * An activation layer. All but 'square' must be calibrated (`fit` and `compile` do it) or be given a polynomial. A plan tells a function
 * that is none of the catalogue by `activationIdentity`, so a model with another one under the same name is refused.
 *
 * @throws InvalidArgumentError for an unknown function or a polynomial on a range without 0
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { activation, ActivationLayer } from '@he-ml/nn-layers'
 * const layer = activation({ name: 'relu1', function: 'relu' }) as ActivationLayer
 * const histogram = new Float64Array(8)
 * const fitted = layer.calibrate({ count: 9, min: -3, max: 4, mean: 0, std: 1, histogram }, { margin: 1.25, degree: 15 })
 * console.log(fitted.halfRange, fitted.forwardApproximate([createTensor([1], Float64Array.of(2))]).data) // 4.375, about 2
 * ```
 */
export function activation(options: ActivationOptions): ActivationLayer | SquareLayer {
  const { name, polynomial } = checkLayerOptions('activation', options)
  const definition = activationFunction(options.function)
  if (definition.name === 'sign')
    throw new InvalidArgumentError(`layer "${name}": sign is no activation; take relu, or a neuron of its own`)
  if (definition.name === 'square') return new SquareLayer(name)
  return new ActivationLayer(name, definition, {
    outputFactor: 1,
    inputFactor: 1,
    ...(polynomial ? { polynomial } : {}),
  })
}
