/**
 * The cheapest ReLU for wanted errors: levels first, then products of ciphertexts. Two kinds compete, a single weighted
 * minimax series and composites x (1 + sign(x)) / 2; both are searched from scratch, and what is returned is certified.
 * Compare E. Lee et al., "Minimax approximation of sign function by composite polynomial" (ePrint 2020/834), and J. Lee et
 * al., "Precise approximation of convolutional neural networks for homomorphically encrypted data" (arXiv 2105.10879).
 */
import { InvalidArgumentError, PlanError, type PolynomialOperations } from '@he-ml/ckks-core'
import type { CompositePolynomial, SeriesPolynomial } from './activation-polynomial.ts'
import { describeSeries } from './approximate.ts'
import { describeComposite } from './approximate-composite.ts'
import { certifySeries } from './certify.ts'
import { checkRange, type Range } from './chebyshev.ts'
import { certifyReluBySign } from './composite-sign.ts'
import { activationFunction } from './functions.ts'
import { type ReluComposite, reluComposites } from './relu-composite.ts'
import { type ReluSeries, reluDegrees, weightedRelu } from './relu-series.ts'
import { compareCosts, type ReluTarget } from './relu-target.ts'
import { scaleSeries } from './series-algebra.ts'

/** Options of {@link minimaxRelu}. */
export interface MinimaxReluOptions {
  /** [-B, B]; default [-1, 1]. */
  readonly range?: Range
  /** Largest absolute error wanted on the whole range. */
  readonly error: number
  /** |x| from which `gapError` holds; given together with it. */
  readonly gap?: number
  /** Largest absolute error wanted for |x| >= gap; at most `error`. */
  readonly gapError?: number
  /** Only a single series ('remez'), or only composites; default: the cheaper of both. */
  readonly method?: 'remez' | 'composite'
  /** Levels that may be spent on an input already mapped to [-1, 1]; default 20. */
  readonly maxDepth?: number
}

/** A polynomial with its price. */
export interface MinimaxRelu {
  /** For `evaluateActivation`; `certifiedError` is the bound on the whole range, `depth` the levels. */
  readonly polynomial: SeriesPolynomial | CompositePolynomial
  /** Upper bound of the error for |x| >= gap; on the whole range without a gap. */
  readonly certifiedGapError: number
  /** What evaluating it runs, on an input already mapped to [-1, 1]. */
  readonly operations: PolynomialOperations
}

/** Errors below this are beyond what float64 searches can tell apart. */
const LEAST_ERROR = 2 ** -24

/**
 * Finds the cheapest ReLU within two errors: one for the whole range and, outside a gap around 0, a stricter one.
 * Deterministic. Searching takes a fraction of a second for a series, one to two for a composite down to 2^-14, a few below.
 * Certificates of composites end near 2^-19, where float64 does.
 *
 * @throws PlanError ('levels') when nothing meets the errors within `maxDepth`; InvalidArgumentError for a lopsided range,
 *   errors that are not positive or below 2^-24 of the range, or a gap without its error
 * @example
 * ```ts
 * import { minimaxRelu } from '@he-ml/activations'
 * const { polynomial, operations } = minimaxRelu({ error: 2 ** -7, gap: 0.03, gapError: 2 ** -10 })
 * console.log(polynomial.degree, polynomial.depth, operations.products) // 48, 6, 11
 * ```
 */
export function minimaxRelu(options: MinimaxReluOptions): MinimaxRelu {
  const reach = checkSymmetric(options.range ?? [-1, 1])
  const target = checkTarget(options, reach)
  const maxDepth = options.maxDepth ?? 20
  if (!Number.isInteger(maxDepth) || maxDepth < 1)
    throw new InvalidArgumentError(`maxDepth must be a positive integer, got ${maxDepth}`)
  const { method } = options
  const series =
    method === 'composite'
      ? undefined
      : firstCertified(reluDegrees(target, maxDepth), (s) => certifiedSeries(s, target, reach))
  const composite =
    method === 'remez'
      ? undefined
      : firstCertified(reluComposites(target, Math.min(maxDepth, series?.polynomial.depth ?? maxDepth)), (c) =>
          certifiedComposite(c, target, reach),
        )
  if (series && composite) return compareCosts(costOf(series), costOf(composite)) <= 0 ? series : composite
  const only = series ?? composite
  if (only) return only
  throw new PlanError(
    'levels',
    `no ReLU within depth ${maxDepth} has an error of at most ${options.error} on [${-reach}, ${reach}]` +
      `${target.gap === 0 ? '' : ` and ${options.gapError} for |x| >= ${options.gap}`}: ` +
      'allow more depth, larger errors or a larger gap',
  )
}

const costOf = ({ polynomial, operations }: MinimaxRelu) => ({ depth: polynomial.depth, operations })

function firstCertified<T>(candidates: Iterable<T>, certify: (t: T) => MinimaxRelu | undefined) {
  for (const candidate of candidates) {
    const certified = certify(candidate)
    if (certified) return certified
  }
  return undefined
}

function certifiedSeries({ degree, operations }: ReluSeries, target: ReluTarget, reach: number) {
  const { series } = weightedRelu(degree, target)
  const everywhere = certifySeries('relu', series).certified
  const outside = target.gap === 0 ? everywhere : certifySeries('relu', series, outsideGap(target.gap)).certified
  if (everywhere > target.error || outside > target.gapError) return undefined
  const scaled = { ...scaleSeries(series, reach), range: [-reach, reach] as const }
  const polynomial = describeSeries(activationFunction('relu'), 'remez', scaled, everywhere * reach)
  return { polynomial, operations, certifiedGapError: outside * reach }
}

const outsideGap = (gap: number): readonly Range[] => [
  [-1, -gap],
  [gap, 1],
]

function certifiedComposite({ degrees, sign, operations }: ReluComposite, target: ReluTarget, reach: number) {
  const everywhere = certifyReluBySign(sign).certified
  const outside = target.gap === 0 ? everywhere : certifyReluBySign(sign, target.gap).certified
  if (everywhere > target.error || outside > target.gapError) return undefined
  const about = { degrees, certifiedError: everywhere * reach }
  const polynomial = describeComposite('relu', { range: [-reach, reach] }, sign, about)
  return { polynomial, operations, certifiedGapError: outside * reach }
}

function checkSymmetric(range: Range): number {
  const [lo, hi] = checkRange(range)
  if (lo !== -hi) throw new InvalidArgumentError(`minimaxRelu needs a symmetric range [-B, B], got [${range}]`)
  return hi
}

function checkTarget({ error, gap, gapError }: MinimaxReluOptions, reach: number): ReluTarget {
  const least = LEAST_ERROR * reach
  if (!(error >= least)) throw new InvalidArgumentError(`error must be at least ${least}, got ${error}`)
  if (gap === undefined && gapError === undefined) return { error: error / reach, gap: 0, gapError: error / reach }
  if (gap === undefined || gapError === undefined)
    throw new InvalidArgumentError('gap and gapError go together: give both, or error alone')
  if (!(gap > 0 && gap < reach)) throw new InvalidArgumentError(`gap must lie in (0, ${reach}), got ${gap}`)
  if (!(gapError >= least && gapError <= error))
    throw new InvalidArgumentError(`gapError must lie in [${least}, error = ${error}], got ${gapError}`)
  return { error: error / reach, gap: gap / reach, gapError: gapError / reach }
}
