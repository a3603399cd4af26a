/** Inputs on which a ReLU polynomial is worst, among random ones, and how far results are from ReLU. */
import { type ActivationPolynomial, forwardPolynomial } from '@he-ml/activations'
import { randomSource } from './bootstrapping/random-slots.ts'

/**
 * Half of the slots uniform in [-1, 1]; a quarter evenly within twice the gap, both of its ends and 0 included; a quarter
 * logarithmically from 2^-20 to 1 with both signs. Another seed draws other random ones.
 */
export function reluInputs(slots: number, gap: number, seed: number): Float64Array {
  const quarter = slots / 4
  const random = randomSource(seed)
  const values = Float64Array.from({ length: slots }, (_, i) => {
    if (i < 2 * quarter) return 2 * random() - 1
    if (i < 3 * quarter) return 2 * gap * (2 * ((i - 2 * quarter) / (quarter - 1)) - 1)
    return (i % 2 === 0 ? 1 : -1) * 2 ** (-20 * random())
  })
  values.set([0, gap, -gap, 1, -1])
  return values
}

/** In bits: -log2 of the largest error. */
export interface ReluPrecision {
  /** Against ReLU, on all slots. */
  readonly everywhere: number
  /** Against ReLU, where |x| >= gap. */
  readonly outsideGap: number
  /** Against the polynomial in the clear. */
  readonly polynomial: number
  /** The same, of the root mean square. */
  readonly polynomialMean: number
}

export interface ReluResults {
  readonly polynomial: ActivationPolynomial
  readonly gap: number
  readonly inputs: Float64Array
  readonly results: Float64Array
}

/** Of these results and of those `before` them. */
export function reluPrecision(
  { polynomial, gap, inputs, results }: ReluResults,
  before?: ReluPrecision,
): ReluPrecision {
  const worst = { everywhere: 0, outsideGap: 0, polynomial: 0, polynomialMean: 0 }
  for (const [i, x] of inputs.entries()) {
    const error = Math.abs(results[i]! - Math.max(0, x))
    worst.everywhere = Math.max(worst.everywhere, error)
    if (Math.abs(x) >= gap) worst.outsideGap = Math.max(worst.outsideGap, error)
    const own = results[i]! - forwardPolynomial(polynomial, x)
    worst.polynomial = Math.max(worst.polynomial, Math.abs(own))
    worst.polynomialMean += own * own
  }
  worst.polynomialMean = Math.sqrt(worst.polynomialMean / inputs.length)
  const bits = (name: keyof ReluPrecision) =>
    Math.min(-Math.log2(worst[name]), before?.[name] ?? Number.POSITIVE_INFINITY)
  return {
    everywhere: bits('everywhere'),
    outsideGap: bits('outsideGap'),
    polynomial: bits('polynomial'),
    polynomialMean: bits('polynomialMean'),
  }
}
