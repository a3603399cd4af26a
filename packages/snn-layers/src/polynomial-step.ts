/**
 * The step by a polynomial: sign(u - threshold) on [-reach, -gap] and [gap, reach], one minimax polynomial or a composition of
 * several of low degree, which is much steeper at the same depth. The soft spike is (1 + p) / 2; its constants, and any factor
 * that the spikes are wanted with, are in the last polynomial's coefficients, so it costs its degree's levels and no more.
 */
import { type ActivationPolynomial, approximate, forwardPolynomial } from '@he-ml/activations'
import {
  chebyshevPolynomial,
  evaluateComposite,
  histogramSamples,
  InvalidArgumentError,
  PlanError,
  type Polynomial,
  type Samples,
} from '@he-ml/ckks-core'
import type { CalibrationOptions, InputStatistics } from '@he-ml/model'
import type { FittedStep, SpikeStep, StepCircuit } from './spike-step.ts'

export interface PolynomialStepOptions {
  /** Odd degrees of a composition. Absent: one polynomial of the degree that the calibration options ask for. */
  readonly degrees?: readonly number[]
  /** |u - threshold| from which spikes must be right, as a share of the threshold; default 0.1. Between, they are soft. */
  readonly gap?: number
}

/**
 * The step by a polynomial.
 *
 * @throws InvalidArgumentError unless 0 < gap
 * @example
 * ```ts
 * import { polynomialSpikeStep } from '@he-ml/snn-layers'
 * const statistics = { count: 100, min: -2, max: 3, mean: 0, std: 1, histogram: new Float64Array(8) }
 * const step = polynomialSpikeStep({ degrees: [7, 13] }).fit(1, statistics, { margin: 1.25, degree: 15 })
 * console.log(step.reach, step.forward(0.5), step.forward(1.5)) // 3.75, about 0 and 1
 * ```
 */
export function polynomialSpikeStep({ degrees, gap = 0.1 }: PolynomialStepOptions = {}): SpikeStep {
  if (!(gap > 0)) throw new InvalidArgumentError(`spike step: expected a gap above 0, got ${gap}`)
  return {
    kind: 'polynomial',
    fit(threshold, statistics, options) {
      const { count, min, max } = statistics
      if (!(count > 0) || !Number.isFinite(min) || !Number.isFinite(max) || min > max)
        throw new PlanError('range', `spike step: no usable statistics (${count} values seen)`)
      if (!(options.margin >= 1) || !Number.isFinite(options.margin))
        throw new InvalidArgumentError(`spike step: the margin must be at least 1, got ${options.margin}`)
      const seen = Math.max(Math.abs(min - threshold), Math.abs(max - threshold))
      // membranes that never leave the gap still need a range around it
      const reach = options.margin * Math.max(seen, 2 * gap * threshold)
      return new PolynomialStep(
        { threshold, statistics, options, gap: gap * threshold, ...(degrees && { degrees }) },
        reach,
      )
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
}

class PolynomialStep implements FittedStep {
  readonly reach: number
  readonly polynomial: ActivationPolynomial
  readonly #wanted: Wanted

  /** @throws PlanError ('range') */
  constructor(wanted: Wanted, reach: number) {
    this.#wanted = wanted
    this.reach = reach
    this.polynomial = signPolynomial(wanted, reach)
  }

  forward(charged: number): number {
    return 0.5 + 0.5 * forwardPolynomial(this.polynomial, charged - this.#wanted.threshold)
  }
  widened(factor: number): FittedStep | undefined {
    try {
      return new PolynomialStep(this.#wanted, this.reach * factor)
    } catch (error) {
      if (!(error instanceof PlanError)) throw error
      return undefined
    }
  }
  circuit(factor: number): StepCircuit {
    const polynomials = spikePolynomials(this.polynomial, factor)
    const samples = samplesOf(this.#wanted, this.reach)
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

/** factor (1 + p) / 2, inputs in [-1, 1]. */
function spikePolynomials(polynomial: ActivationPolynomial, factor: number): Polynomial[] {
  const series = polynomial.kind === 'series' ? [polynomial.series] : polynomial.factors
  return series.map(({ coefficients }, i) =>
    chebyshevPolynomial(
      i < series.length - 1 ? coefficients : coefficients.map((c, k) => 0.5 * factor * (k === 0 ? c + 1 : c)),
    ),
  )
}

/** Where in the range membranes were seen. */
function samplesOf({ threshold, statistics }: Wanted, reach: number): Samples | undefined {
  const { min, max, histogram } = statistics
  if (!(max > min && histogram.reduce((a, b) => a + b, 0) > 0)) return undefined
  return histogramSamples({ range: [(min - threshold) / reach, (max - threshold) / reach], counts: histogram })
}
