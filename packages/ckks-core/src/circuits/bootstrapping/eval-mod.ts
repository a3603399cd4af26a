/**
 * evalMod: from m / q0 + I to m / q0, slot by slot, by a function of period 1 that is the identity near 0: a sine. With
 * y = x - 1/4, sin(2 pi x) = cos(2 pi y) is even, so half the coefficients of its Chebyshev series vanish; the series is that
 * of cos(2 pi y / 2^r), and r times cos 2a = 2 cos^2 a - 1 brings the angle back (Han and Ki, ePrint 2019/688). Every stage
 * carries its own amplitude, chosen so that doubling is d -> d^2 - constant, without a product by 2; the last amplitude is the
 * factor that turns the sine into the message, so nothing is left to multiply. What the sine bends may be straightened by a
 * polynomial close to the arcsine (ePrint 2020/552): then the message may fill more of a period, and errors are amplified less.
 */

import { GaussianSource } from '../../engines/noise/gaussian.ts'
import { runPredicted } from '../../engines/noise/predict.ts'
import { EPHEMERAL_WEIGHT, RAISE_BOUND } from '../../parameters/ephemeral.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { chebyshevPolynomial, evaluateChebyshev, type Polynomial } from '../polynomial/index.ts'
import { scope } from '../scope.ts'
import { arcsineDegree, arcsineDepth, type BootstrappingSpec } from './bootstrapping-spec.ts'
import { cosineSeries } from './cosine-series.ts'
import type { RefreshFunction } from './refresh-function.ts'
import { sinePolynomial } from './sine-polynomial.ts'

/** The shift that makes the sine an even function. */
export const ANGLE_SHIFT = 0.25

/** y never leaves [-bound, bound], whatever the randomness. */
export const ANGLE_BOUND = RAISE_BOUND + ANGLE_SHIFT

/** evalMod for one range of values, and what is evaluated along with it. */
export interface EvalMod {
  /** Takes t = y / ANGLE_BOUND to the amplitude of the first stage times cos(2 pi y / 2^r). */
  readonly series: Polynomial
  /** What each doubling subtracts: half the square of its amplitude. */
  readonly constants: readonly number[]
  /** From the sine, 1 at the end of the range, to the message or a function of it; undefined where the sine alone has to do. */
  readonly arcsine: Polynomial | undefined
  /** Levels that are there for it. */
  readonly depth: number
  /** Typical values of t, for error estimates. */
  readonly samples: Float64Array
  /** Root mean square, over these, of what evalMod would be wrong by without any noise, beyond `series`' own error. */
  readonly bend: number
  /** The same where the message is 0: what the series is off the cosine. It does not shrink with the message. */
  readonly floor: number
  /** By which power of the message's size the bend shrinks; 0 for a function, which may have its largest error anywhere. */
  readonly bendPower: number
}

/**
 * Works out evalMod.
 *
 * @param range largest |real or imaginary part|; results come out multiplied by it
 * @param apply what is wanted of the values in place of themselves; the spec must have levels for it
 */
export function createEvalMod(spec: BootstrappingSpec, range: number, apply?: RefreshFunction): EvalMod {
  const { degree, doubleAngles, logMessageRatio } = spec
  const wanted = (message: number) => (apply ? apply.at(range * message) : range * message)
  const end = (2 * Math.PI) / 2 ** logMessageRatio
  const arcsine = arcsineDegree(spec)
  const amplitude = arcsine > 0 ? 1 / Math.sin(end) : range / end
  const constants: number[] = []
  let current = amplitude
  for (let i = 0; i < doubleAngles; i++) {
    constants.unshift(current)
    current = Math.sqrt(2 * current)
  }
  const evalMod = {
    series: chebyshevPolynomial(cosineSeries({ degree, doubleAngles, bound: ANGLE_BOUND, amplitude: current })),
    constants,
    arcsine: arcsine > 0 ? sinePolynomial(arcsine, end, wanted) : undefined,
  }
  const typical = typicalArguments()
  const samples = typical.map(({ multiple, message }) => angle(spec, multiple, message))
  let bent = 0
  let off = 0
  for (const { multiple, message } of typical) {
    const atZero = apply ? 0 : evalModAt(evalMod, angle(spec, multiple, 0))
    off += atZero ** 2
    bent += (evalModAt(evalMod, angle(spec, multiple, message)) - wanted(message) - atZero) ** 2
  }
  const [bend, floor] = [bent, off].map((square) => Math.sqrt(square / samples.length)) as [number, number]
  const bendPower = apply ? 0 : arcsine > 0 ? 1 : 3
  return { ...evalMod, depth: arcsineDepth(spec), samples: Float64Array.from(samples), bend, floor, bendPower }
}

/** t for a multiple of q0 and a message in units of its range. */
export const angle = (spec: BootstrappingSpec, multiple: number, message: number): number =>
  (multiple + message * 2 ** -spec.logMessageRatio - ANGLE_SHIFT) / ANGLE_BOUND

/** evalMod of a number, in floats. */
export function evalModAt(
  { series, constants, arcsine }: Pick<EvalMod, 'series' | 'constants' | 'arcsine'>,
  t: number,
) {
  let value = series.atReal(t)
  for (const constant of constants) value = value * value - constant
  return arcsine ? arcsine.atReal(value) : value
}

/**
 * What a bootstrap makes of a value without any noise, on average over the multiples of q0: the sine's bend, and what the
 * cosine's series is off in the mean. This part of the error is the same whenever the value is.
 *
 * @param range largest |real or imaginary part|
 * @returns the error of a value, for estimates
 */
export function bootstrapBend(spec: BootstrappingSpec, range: number): (value: number) => number {
  const evalMod = createEvalMod(spec, range)
  const variance = (1 + EPHEMERAL_WEIGHT) / 12
  const reach = Math.ceil(4 * Math.sqrt(variance))
  const multiples = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach)
  const shares = multiples.map((multiple) => Math.exp(-(multiple ** 2) / (2 * variance)))
  const all = shares.reduce((a, b) => a + b, 0)
  return (value) => {
    const results = multiples.map(
      (multiple, i) => shares[i]! * evalModAt(evalMod, angle(spec, multiple, value / range)),
    )
    return results.reduce((a, b) => a + b, 0) / all - value
  }
}

const SAMPLES = 320

/**
 * Multiples as they occur (a rounded normal number), and messages as the real parts of points of the unit disc occur, the
 * one independent of the other.
 */
function typicalArguments(): { readonly multiple: number; readonly message: number }[] {
  const source = new GaussianSource(1)
  const deviation = Math.sqrt((1 + EPHEMERAL_WEIGHT) / 12)
  return Array.from({ length: SAMPLES }, () => ({
    multiple: Math.round(deviation * source.next()),
    message: Math.sqrt(source.uniform()) * Math.cos(2 * Math.PI * source.uniform()),
  }))
}

/** Root mean square of the real part of points of the unit disc: what `bend` is for. */
const TYPICAL_MESSAGE = 0.5

/**
 * Evaluates it on t = (m / q0 + I - 1/4) / ANGLE_BOUND; the result is at nominal scale. The input is only read.
 *
 * @param message root mean square of m in units of its range, for estimates: small messages bend much less
 */
export function evaluateEvalMod(
  engine: Evaluator,
  t: Ciphertext,
  evalMod: EvalMod,
  message = TYPICAL_MESSAGE,
): Ciphertext {
  const { samples, bendPower } = evalMod
  const bend = evalMod.bend * Math.min(1, message / TYPICAL_MESSAGE) ** bendPower
  const result = runPredicted(engine, t, (e, x) => circuit(e, x, evalMod), { samples, identity: [evalMod] })
  const estimate = engine.estimate?.(result)
  if (estimate) engine.declareError?.(result, Math.hypot(estimate.error, bend, evalMod.floor))
  return result
}

function circuit(engine: Evaluator, t: Ciphertext, { series, constants, arcsine, depth }: EvalMod): Ciphertext {
  return scope((use) => {
    let current = use(evaluateChebyshev(engine, t, series))
    for (const constant of constants) {
      const scale = current.scale ** 2
      const doubled = use(engine.productCombination([[current, current]], [], scale, { constant: -constant }))
      current = use(engine.relinearizeRescale(doubled))
    }
    if (!arcsine) return current
    // a function may take fewer levels than the spec has for it
    const dropped = use(engine.dropLevel(current, current.level - (depth - arcsine.depth)))
    return evaluateChebyshev(engine, dropped, arcsine)
  })
}
