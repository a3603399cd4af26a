/** sign and ReLU by a composite sign: the degrees, the gap and the certificate. */
import { InvalidArgumentError, PlanError, UnsupportedError } from '@he-ml/ckks-core'
import type { CompositePolynomial } from './activation-polynomial.ts'
import type { ApproximateOptions } from './approximate-options.ts'
import {
  type CompositeSign,
  certifyCompositeSign,
  certifyReluBySign,
  compositeSign,
  evaluateCompositeSign,
} from './composite-sign.ts'
import { reluComposites } from './relu-composite.ts'
import { searchCompositeDegrees } from './search-degrees.ts'

/** Levels that a composite ReLU may take when its degrees are searched. */
const MOST_LEVELS = 30

/**
 * @param name 'sign' or 'relu'
 * @throws UnsupportedError for other functions; InvalidArgumentError without degrees and error, or for a lopsided range
 */
export function approximateComposite(name: string, options: ApproximateOptions): CompositePolynomial {
  const { range } = options
  if (range[0] !== -range[1])
    throw new InvalidArgumentError(`a composite needs a symmetric range [-B, B], got [${range}]`)
  if (name === 'sign') return compositeSignPolynomial(options)
  if (name === 'relu') return compositeReluPolynomial(options)
  throw new UnsupportedError(`the composite method serves sign and relu, not "${name}": take remez`)
}

function compositeSignPolynomial(options: ApproximateOptions): CompositePolynomial {
  const reach = options.range[1]
  const { gap, error } = options
  if (gap === undefined || !(gap > 0 && gap < reach))
    throw new InvalidArgumentError(`sign needs a gap between 0 and ${reach}, got ${gap ?? 'none'}`)
  const degrees =
    options.degrees ?? searchCompositeDegrees({ gap: gap / reach, error: wantedError(options) * 0.999 }).degrees
  const sign = compositeSign({ degrees, gap: gap / reach, ...margin(options) })
  const certified = certifyCompositeSign(sign).certified
  checkReached(certified, error, degrees)
  return describeComposite('sign', options, sign, { degrees, certifiedError: certified })
}

function compositeReluPolynomial(options: ApproximateOptions): CompositePolynomial {
  const reach = options.range[1]
  const candidates = options.degrees ? [options.degrees] : reluCandidates(wantedError(options) / reach)
  let best: CompositePolynomial | undefined
  for (const degrees of candidates) {
    const sign =
      options.gap === undefined
        ? balancedSign(degrees, margin(options))
        : compositeSign({ degrees, gap: options.gap / reach, ...margin(options) })
    const certifiedError = certifyReluBySign(sign).certified * reach
    best = describeComposite('relu', options, sign, { degrees, certifiedError })
    if (options.error === undefined || certifiedError <= options.error) return best
  }
  checkReached(best!.certifiedError, options.error, best!.degrees)
  return best!
}

/** Degrees for ReLU to a relative error, cheapest first; then dearer ones, for what a noise margin costs. */
function* reluCandidates(error: number): Generator<readonly number[]> {
  for (const { degrees } of reluComposites({ error, gap: 0, gapError: error }, MOST_LEVELS)) yield degrees
  for (const factor of [6, 4, 2])
    yield searchCompositeDegrees({ gap: Math.min(0.9, factor * error), error: 2 * error }).degrees
}

/** The gap at which the error below it equals the error above it. */
function balancedSign(degrees: readonly number[], extra: { noiseMargin?: number }): CompositeSign {
  let [low, high] = [2 ** -40, 0.99]
  let best: CompositeSign | undefined
  for (let i = 0; i < 32 && high / low > 1.0005; i++) {
    const gap = Math.sqrt(low * high)
    const sign = signOrReason(degrees, gap, extra)
    if (sign === 'too wide') high = gap
    else if (sign === 'too narrow' || errorBelowGap(sign) < 0.5 * sign.error) low = gap
    else {
      best = sign
      high = gap
    }
  }
  return best ?? compositeSign({ degrees, gap: high, ...extra })
}

/** A gap may be so wide that the last factors have nothing left to do, or so narrow that noise drowns what the first leave. */
function signOrReason(
  degrees: readonly number[],
  gap: number,
  extra: { noiseMargin?: number },
): CompositeSign | 'too wide' | 'too narrow' {
  try {
    return compositeSign({ degrees, gap, ...extra })
  } catch (error) {
    if (error instanceof UnsupportedError) return 'too wide'
    if (error instanceof PlanError) return 'too narrow'
    throw error
  }
}

function errorBelowGap(sign: CompositeSign): number {
  let most = 0
  for (let k = 1; k < 200; k++) {
    const x = (sign.gap * k) / 200
    most = Math.max(most, 0.5 * x * Math.abs(1 - evaluateCompositeSign(sign, x)))
  }
  return most
}

const margin = ({ noiseMargin }: ApproximateOptions) => (noiseMargin === undefined ? {} : { noiseMargin })

function wantedError({ error, range }: ApproximateOptions): number {
  if (error === undefined) throw new InvalidArgumentError('a composite needs the degrees of its factors, or an error')
  return Math.min(error, range[1] * 0.9)
}

function checkReached(certified: number, wanted: number | undefined, degrees: readonly number[]): void {
  if (wanted !== undefined && certified > wanted)
    throw new PlanError(
      'range',
      `the composite of degrees [${degrees}] is certified to ${certified.toExponential(3)}, wanted ${wanted}: ` +
        'give more or higher degrees, or allow more error',
    )
}

/** A composite with what is known about it; the errors in units of the function's values. */
export function describeComposite(
  name: 'sign' | 'relu',
  options: Pick<ApproximateOptions, 'range'>,
  sign: CompositeSign,
  { degrees, certifiedError }: { degrees: readonly number[]; certifiedError: number },
): CompositePolynomial {
  const reach = options.range[1]
  return {
    kind: 'composite',
    function: name,
    method: 'composite',
    range: [-reach, reach],
    degree: degrees.reduce((product, d) => product * d, 1) + (name === 'relu' ? 1 : 0),
    depth: sign.depth + (name === 'relu' ? 1 : 0),
    certifiedError,
    degrees: [...degrees],
    gap: sign.gap * reach,
    factors: sign.factors,
  }
}
