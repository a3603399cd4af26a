/**
 * Activations by a polynomial on a calibrated range [lo, hi] that holds 0; trained networks are lopsided, and the shorter
 * range is worth up to a bit. The layer stands for c * f(t / d) of its input t = d x: c and d are factors that neighbours
 * hold the values with. The circuit wants t / (d B), B half the length of the range: an integer multiple of t, at best 1,
 * costs no level, and moving the range's middle to 0 is an addition, which is free too. Slots without an element must not
 * hold large values, because a polynomial leaves its range like x^degree: they are masked, at the price of a level, when the
 * layout says that anything may be there.
 */
import {
  type ActivationName,
  type ActivationPolynomial,
  activationFunction,
  approximate,
  type EvaluateActivationOptions,
  forwardPolynomial,
  type PreparedActivation,
  parsePolynomial,
  prepareActivation,
} from '@he-ml/activations'
import {
  contentHash,
  FormatError,
  histogramSamples,
  InvalidArgumentError,
  PlanError,
  type Samples,
  UnsupportedError,
} from '@he-ml/ckks-core'
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
import { checkFactor, only } from './single-input.ts'
import { SquareLayer } from './square.ts'

/** Functions of activation layers; 'square' is exact, the others are approximated. */
export type ActivationLayerFunction = Exclude<ActivationName, 'sign'>

export interface ActivationOptions {
  readonly name: string
  readonly function: ActivationLayerFunction
  /** A polynomial found before; default: `calibrate` finds one. Its range must hold 0. */
  readonly polynomial?: ActivationPolynomial
}

/** What a polynomial was found from. */
interface Origin {
  readonly statistics: InputStatistics
  readonly options: CalibrationOptions
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
  readonly function: Exclude<ActivationLayerFunction, 'square'>
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

  constructor(name: string, fn: Exclude<ActivationLayerFunction, 'square'>, state: State) {
    this.name = name
    this.function = fn
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
    return this.function === 'relu'
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
    return [digestText([this.function, this.fittedForm ? contentHash(this.fittedForm) : null])]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    return only(this.name, inputs)
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const { evaluate } = activationFunction(this.function)
    return this.#map(only(this.name, inputs), evaluate)
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const f = this.function === 'relu' ? this.function : activationFunction(this.function).evaluate
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
    const polynomial = choosePolynomial(this, statistics, options)
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
    return new ActivationLayer(this.name, this.function, {
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
    if (Number.isInteger(inputScale) || !(widening <= WIDEST_RANGE + ROUND_OFF)) return exact
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
      this.#with({ channels: fitChannels(this.function, polynomial, channels, places.share) })
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
    const { statistics, options } = this.#origin
    try {
      return this.#with({ polynomial: choosePolynomial(this, statistics, options, factor) })
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
    return new ActivationLayer(this.name, this.function, {
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

/** Where in the range the calibration data lie. */
function samplesOf([lo, hi]: readonly [number, number], origin: Origin | undefined): { readonly samples?: Samples } {
  if (!origin) return {}
  const { min, max, histogram } = origin.statistics
  const seen = histogram.reduce((a, b) => a + b, 0)
  if (!(max > min && seen > 0)) return {}
  const unit = (x: number): number => (2 * x - lo - hi) / (hi - lo)
  return { samples: histogramSamples({ range: [unit(min), unit(max)], counts: histogram }) }
}

/** @param widening longer than the range that the options ask for by this factor */
function choosePolynomial(
  layer: ActivationLayer,
  statistics: InputStatistics,
  options: CalibrationOptions,
  widening = 1,
): ActivationPolynomial {
  const { margin, degree, error, method } = options
  if (!(margin >= 1) || !Number.isFinite(margin))
    throw new InvalidArgumentError(`activation "${layer.name}": the margin must be at least 1, got ${margin}`)
  const { min, max, histogram } = statistics
  if (!(statistics.count > 0) || !Number.isFinite(min) || !Number.isFinite(max) || min > max)
    throw new PlanError('range', `activation "${layer.name}": no usable statistics (${statistics.count} values seen)`)
  // an odd function on a symmetric range has an odd polynomial: half the coefficients, and gaps stay zero
  const { symmetry } = activationFunction(layer.function)
  const isOdd = symmetry?.parity === 'odd' && symmetry.offset === 0
  const [lo, hi] = rangeOf(margin * min, margin * max, isOdd || method === 'composite')
  const range = [widening * lo, widening * hi] as const
  const half = (range[1] - range[0]) / 2
  const density =
    method === 'least-squares' && histogram.length > 0 && max > min
      ? { density: { range: [min, max] as const, counts: histogram } }
      : {}
  try {
    return approximate(layer.function, {
      range,
      degree,
      ...(error === undefined ? {} : { error: error * half }),
      ...(method ? { method } : {}),
      ...density,
    })
  } catch (cause) {
    if (!(cause instanceof PlanError)) throw cause
    throw new PlanError(cause.reason, `activation "${layer.name}": ${cause.message}`, { cause })
  }
}

/** The shortest range that holds the values and 0, which gaps hold; or symmetric around 0. */
function rangeOf(min: number, max: number, symmetric: boolean): readonly [lo: number, hi: number] {
  const reach = Math.max(Math.abs(min), Math.abs(max))
  if (reach === 0) return [-1, 1]
  return symmetric ? [-reach, reach] : [Math.min(0, min), Math.max(0, max)]
}

/** The polynomial times a constant, for inputs normalised to [-1, 1]. */
function scalePolynomial(name: string, polynomial: ActivationPolynomial, factor: number): ActivationPolynomial {
  if (factor === 1) return polynomial
  const certifiedError = polynomial.certifiedError * Math.abs(factor)
  if (polynomial.kind === 'series') {
    const { series } = polynomial
    const coefficients = series.coefficients.map((c) => c * factor)
    return { ...polynomial, certifiedError, series: { ...series, coefficients } }
  }
  if (!(factor > 0))
    throw new InvalidArgumentError(`activation "${name}": a composite ReLU takes positive factors only, got ${factor}`)
  // B t (1 + sign t) / 2 is proportional to B, and the circuit sees t only
  const { range } = polynomial
  return { ...polynomial, certifiedError, range: [range[0] * factor, range[1] * factor] }
}

/**
 * An activation layer. All but 'square' must be calibrated (`fit` and `compile` do it) or be given a polynomial.
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
  const { name, polynomial } = options
  activationFunction(options.function)
  if ((options.function as string) === 'sign')
    throw new InvalidArgumentError(`layer "${name}": sign is no activation; take relu, or a neuron of its own`)
  if (options.function === 'square') return new SquareLayer(name)
  return new ActivationLayer(name, options.function, {
    outputFactor: 1,
    inputFactor: 1,
    ...(polynomial ? { polynomial } : {}),
  })
}
