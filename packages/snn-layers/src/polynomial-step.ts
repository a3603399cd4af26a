/**
 * The step by a polynomial: sign(u - threshold) on [-reach, -gap] and [gap, reach], one minimax polynomial or a composition of
 * several of low degree, which is much steeper at the same depth; or, where depth is short, a logistic step of some width. The
 * soft spike of a sign p is (1 + p) / 2; its constants, and any factor that the spikes are wanted with, are in the last
 * polynomial's coefficients, so it costs its degree's levels and no more.
 */
import { type ActivationPolynomial, approximate, forwardPolynomial, parsePolynomial } from '@he-ml/activations'
import {
  chebyshevPolynomial,
  checkOptions,
  evaluateComposite,
  FormatError,
  histogramSamples,
  InvalidArgumentError,
  type OptionChecks,
  optionCheck,
  PlanError,
  type Polynomial,
  type Samples,
} from '@he-ml/ckks-core'
import type { CalibrationOptions, FittedForm, InputStatistics } from '@he-ml/model'
import type { SoftStep, SpikeStep, StepCircuit } from './spike-step.ts'

/** Options of {@link polynomialSpikeStep}. */
export interface PolynomialStepOptions {
  /** Odd degrees of a composition. Absent: one polynomial of the degree that the calibration options ask for. */
  readonly degrees?: readonly number[]
  /** |u - threshold| from which spikes must be right, as a share of the threshold; default 0.1. Between, they are soft. */
  readonly gap?: number
  /** A logistic step 1 / (1 + exp(-(u - threshold) / w)) instead of the sign, w this share of the threshold. */
  readonly width?: number
}

const OPTIONS: OptionChecks<PolynomialStepOptions> = {
  degrees: optionCheck.list('a list of degrees', optionCheck.integer(1)),
  gap: optionCheck.anything,
  width: optionCheck.anything,
}

/**
 * The step by a polynomial.
 *
 * @throws InvalidArgumentError unless gap and width are positive, and for degrees with a width
 * @example
 * ```ts
 * import { polynomialSpikeStep } from '@he-ml/snn-layers'
 * const statistics = { count: 100, min: -2, max: 3, mean: 0, std: 1, histogram: new Float64Array(8) }
 * const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const
 * const step = polynomialSpikeStep({ degrees: [7, 13] }).fit({ neuron }, statistics, { margin: 1.25, degree: 15 })
 * if (step.kind === 'soft') console.log(step.reach, step.forward(0.5), step.forward(1.5)) // 3.75, about 0 and 1
 * ```
 */
export function polynomialSpikeStep(options: PolynomialStepOptions = {}): SpikeStep {
  checkOptions('polynomialSpikeStep', options, OPTIONS)
  const { degrees, gap = 0.1, width } = options
  if (!(gap > 0)) throw new InvalidArgumentError(`spike step: expected a gap above 0, got ${gap}`)
  if (width !== undefined && (!(width > 0) || degrees))
    throw new InvalidArgumentError(`spike step: expected a width above 0 and no degrees, got ${width} and ${degrees}`)
  return {
    kind: 'polynomial',
    options: { gap, ...(degrees && { degrees }), ...(width === undefined ? {} : { width }) },
    restore({ neuron: { threshold } }, form) {
      const polynomial = parsePolynomial(form.polynomial, 'spike step')
      const { reach } = form
      if (typeof reach !== 'number' || !(reach > 0) || !Number.isFinite(reach))
        throw new FormatError(`spike step: expected a positive reach, got ${reach}`)
      if (polynomial.function !== (width === undefined ? 'sign' : 'sigmoid'))
        throw new FormatError(`spike step: expected another function than ${polynomial.function}`)
      return new PolynomialStep(
        { threshold, ...(width === undefined ? {} : { width: width * threshold }) },
        reach,
        polynomial,
      )
    },
    fit({ neuron: { threshold } }, statistics, options) {
      const { count, min, max } = statistics
      if (!(count > 0) || !Number.isFinite(min) || !Number.isFinite(max) || min > max)
        throw new PlanError('range', `spike step: no usable statistics (${count} values seen)`)
      if (!(options.margin >= 1) || !Number.isFinite(options.margin))
        throw new InvalidArgumentError(`spike step: the margin must be at least 1, got ${options.margin}`)
      const seen = Math.max(Math.abs(min - threshold), Math.abs(max - threshold))
      // membranes that never leave the gap still need a range around it
      const reach = options.margin * Math.max(seen, 2 * gap * threshold)
      const wanted = { threshold, statistics, options, gap: gap * threshold, ...(degrees && { degrees }) }
      return fitStep(width === undefined ? wanted : { ...wanted, width: width * threshold }, reach)
    },
  }
}

interface Wanted {
  readonly threshold: number
  readonly statistics: InputStatistics
  readonly options: CalibrationOptions
  /** In units of membrane potential. */
  readonly gap: number
  readonly degrees?: readonly number[]
  /** In units of membrane potential. */
  readonly width?: number
}

/** What of it the step itself is about. */
type Shape = Pick<Wanted, 'threshold' | 'width'>

/** @throws PlanError ('range') */
function fitStep(wanted: Wanted, reach: number): PolynomialStep {
  const polynomial = wanted.width === undefined ? signPolynomial(wanted, reach) : logistic(wanted, wanted.width, reach)
  return new PolynomialStep(wanted, reach, polynomial, wanted)
}

class PolynomialStep implements SoftStep {
  readonly kind = 'soft'
  readonly reach: number
  readonly polynomial: ActivationPolynomial
  readonly #shape: Shape
  readonly #wanted: Wanted | undefined

  /** @param wanted what it was fitted to; absent when it was restored */
  constructor(shape: Shape, reach: number, polynomial: ActivationPolynomial, wanted?: Wanted) {
    this.#shape = shape
    this.#wanted = wanted
    this.reach = reach
    this.polynomial = polynomial
  }

  get form(): FittedForm {
    return { reach: this.reach, polynomial: this.polynomial }
  }
  forward(charged: number): number {
    const { threshold, width } = this.#shape
    if (width !== undefined) return forwardPolynomial(this.polynomial, (charged - threshold) / width)
    return 0.5 + 0.5 * forwardPolynomial(this.polynomial, charged - threshold)
  }
  widened(factor: number): SoftStep | undefined {
    try {
      return this.#wanted && fitStep(this.#wanted, this.reach * factor)
    } catch (error) {
      if (!(error instanceof PlanError)) throw error
      return undefined
    }
  }
  circuit(factor: number): StepCircuit {
    const polynomials = spikePolynomials(this.polynomial, factor)
    const samples = this.#wanted && samplesOf(this.#wanted, this.reach)
    const at = samples ? { samples: samples.values, ...(samples.weights && { weights: samples.weights }) } : {}
    return {
      depth: polynomials.reduce((sum, { depth }) => sum + depth, 0),
      prepare: async () => (engine, unit) => evaluateComposite(engine, unit, polynomials, at),
    }
  }
}

function signPolynomial({ options, gap, degrees }: Wanted, reach: number): ActivationPolynomial {
  const { degree, error, method } = options
  const range = [-reach, reach] as const
  const within = error === undefined ? {} : { error }
  if (degrees) return approximate('sign', { range, gap, method: 'composite', degrees, ...within })
  if (method === 'composite') return approximate('sign', { range, gap, method, error: error ?? 0.05 })
  return approximate('sign', { range, gap, degree, ...within })
}

/** A polynomial in (u - threshold) / width. */
function logistic({ options }: Wanted, width: number, reach: number): ActivationPolynomial {
  const { degree, error, method } = options
  const within = { ...(error === undefined ? {} : { error }), ...(method && method !== 'composite' ? { method } : {}) }
  return approximate('sigmoid', { range: [-reach / width, reach / width], degree, ...within })
}

/** The spike times a factor, inputs in [-1, 1]: of a sign, (1 + p) / 2. */
function spikePolynomials(polynomial: ActivationPolynomial, factor: number): Polynomial[] {
  const series = polynomial.kind === 'series' ? [polynomial.series] : polynomial.factors
  const isSign = polynomial.function === 'sign'
  const last = (c: number, k: number): number => (isSign ? 0.5 * factor * (k === 0 ? c + 1 : c) : factor * c)
  return series.map(({ coefficients }, i) =>
    chebyshevPolynomial(i < series.length - 1 ? coefficients : coefficients.map(last)),
  )
}

/** Where in the range membranes were seen. */
function samplesOf({ threshold, statistics }: Wanted, reach: number): Samples | undefined {
  const { min, max, histogram } = statistics
  if (!(max > min && histogram.reduce((a, b) => a + b, 0) > 0)) return undefined
  return histogramSamples({ range: [(min - threshold) / reach, (max - threshold) / reach], counts: histogram })
}
