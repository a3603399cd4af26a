/** The polynomial of an activation layer, from what was seen at its input. */
import { type ActivationFunction, type ActivationPolynomial, approximate } from '@he-ml/activations'
import { histogramSamples, InvalidArgumentError, PlanError, type Samples } from '@he-ml/ckks-core'
import type { CalibrationOptions, InputStatistics } from '@he-ml/model'

/** What a polynomial was found from. */
export interface Origin {
  readonly statistics: InputStatistics
  readonly options: CalibrationOptions
}

/** Whose polynomial. */
interface Sought {
  readonly name: string
  readonly definition: ActivationFunction
}

/** Where in the range the calibration data lie. */
export function samplesOf(
  [lo, hi]: readonly [number, number],
  origin: Origin | undefined,
): { readonly samples?: Samples } {
  if (!origin) return {}
  const { min, max, histogram } = origin.statistics
  const seen = histogram.reduce((a, b) => a + b, 0)
  if (!(max > min && seen > 0)) return {}
  const unit = (x: number): number => (2 * x - lo - hi) / (hi - lo)
  return { samples: histogramSamples({ range: [unit(min), unit(max)], counts: histogram }) }
}

/** @param widening longer than the range that the options ask for by this factor */
export function choosePolynomial(
  { name, definition }: Sought,
  { statistics, options }: Origin,
  widening = 1,
): ActivationPolynomial {
  const { margin, degree, error, method } = options
  if (!(margin >= 1) || !Number.isFinite(margin))
    throw new InvalidArgumentError(`activation "${name}": the margin must be at least 1, got ${margin}`)
  const { min, max, histogram } = statistics
  if (!(statistics.count > 0) || !Number.isFinite(min) || !Number.isFinite(max) || min > max)
    throw new PlanError('range', `activation "${name}": no usable statistics (${statistics.count} values seen)`)
  // an odd function on a symmetric range has an odd polynomial: half the coefficients, and gaps stay zero
  const { symmetry } = definition
  const isOdd = symmetry?.parity === 'odd' && symmetry.offset === 0
  const [lo, hi] = rangeOf(margin * min, margin * max, isOdd || method === 'composite')
  const range = [widening * lo, widening * hi] as const
  const half = (range[1] - range[0]) / 2
  const density =
    method === 'least-squares' && histogram.length > 0 && max > min
      ? { density: { range: [min, max] as const, counts: histogram } }
      : {}
  try {
    return approximate(definition, {
      range,
      degree,
      ...(error === undefined ? {} : { error: error * half }),
      ...(method ? { method } : {}),
      ...density,
    })
  } catch (cause) {
    if (!(cause instanceof PlanError)) throw cause
    throw new PlanError(cause.reason, `activation "${name}": ${cause.message}`, { cause })
  }
}

/** The shortest range that holds the values and 0, which gaps hold; or symmetric around 0. */
function rangeOf(min: number, max: number, symmetric: boolean): readonly [lo: number, hi: number] {
  const reach = Math.max(Math.abs(min), Math.abs(max))
  if (reach === 0) return [-1, 1]
  return symmetric ? [-reach, reach] : [Math.min(0, min), Math.max(0, max)]
}

/** The polynomial times a constant, for inputs normalised to [-1, 1]. */
export function scalePolynomial(name: string, polynomial: ActivationPolynomial, factor: number): ActivationPolynomial {
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
