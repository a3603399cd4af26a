/**
 * evalMod: from m / q0 + I to m / q0, slot by slot, by a function of period 1 that is the identity near 0: a sine. With
 * y = x - 1/4, sin(2 pi x) = cos(2 pi y) is even, so half the coefficients of its Chebyshev series vanish; the series is that
 * of cos(2 pi y / 2^r), and r times cos 2a = 2 cos^2 a - 1 brings the angle back (Han and Ki, ePrint 2019/688). Every stage
 * carries its own amplitude, chosen so that doubling is d -> d^2 - constant, without a product by 2; the last amplitude is the
 * factor that turns the sine into the message, so nothing is left to multiply. What the sine bends (its cubic term) may be
 * straightened by the arcsine's cubic term (ePrint 2020/552).
 */

import { GaussianSource } from '../../engines/noise/gaussian.ts'
import { runPredicted } from '../../engines/noise/predict.ts'
import { EPHEMERAL_WEIGHT, RAISE_BOUND } from '../../parameters/ephemeral.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { chebyshevPolynomial, evaluateChebyshev, type Polynomial } from '../polynomial/index.ts'
import { scope } from '../scope.ts'
import type { BootstrappingSpec } from './bootstrapping-spec.ts'
import { cosineSeries } from './cosine-series.ts'

/** The shift that makes the sine an even function. */
export const ANGLE_SHIFT = 0.25

/** y never leaves [-bound, bound], whatever the randomness. */
export const ANGLE_BOUND = RAISE_BOUND + ANGLE_SHIFT

/** evalMod for one range of values. */
export interface EvalMod {
  /** Takes t = y / ANGLE_BOUND to the amplitude of the first stage times cos(2 pi y / 2^r). */
  readonly series: Polynomial
  /** What each doubling subtracts: half the square of its amplitude. */
  readonly constants: readonly number[]
  /** Cubic correction of the sine, with the gain; undefined where the sine alone has to do. */
  readonly arcsine: Polynomial | undefined
  /** Typical values of t, for error estimates. */
  readonly samples: Float64Array
  /** Root mean square, over these, of what evalMod would be wrong by without any noise, beyond `series`' own error. */
  readonly bend: number
  /** The same where the message is 0: what the series is off the cosine. It does not shrink with the message. */
  readonly floor: number
}

/**
 * Works out evalMod.
 *
 * @param range largest |real or imaginary part|; results come out multiplied by it
 */
export function createEvalMod(spec: BootstrappingSpec, range: number): EvalMod {
  const { degree, doubleAngles, logMessageRatio } = spec
  const gain = 2 ** logMessageRatio / (2 * Math.PI)
  // with arcsine the sine itself is kept, and the cubic polynomial brings the gain
  const amplitude = spec.arcsine ? 1 : gain * range
  const constants: number[] = []
  let current = amplitude
  for (let i = 0; i < doubleAngles; i++) {
    constants.unshift(current)
    current = Math.sqrt(2 * current)
  }
  // arcsin(s) = s + s^3 / 6 + ... = (1 + 1/8) T_1 + T_3 / 24 + ...
  const cubic = [0, 1 + 1 / 8, 0, 1 / 24].map((c) => c * gain * range)
  const evalMod = {
    series: chebyshevPolynomial(cosineSeries({ degree, doubleAngles, bound: ANGLE_BOUND, amplitude: current })),
    constants,
    arcsine: spec.arcsine ? chebyshevPolynomial(cubic) : undefined,
  }
  const typical = typicalArguments()
  const samples = typical.map(({ multiple, message }) => angle(spec, multiple, message))
  let bent = 0
  let off = 0
  for (const { multiple, message } of typical) {
    const atZero = evalModAt(evalMod, angle(spec, multiple, 0))
    off += atZero ** 2
    bent += (evalModAt(evalMod, angle(spec, multiple, message)) - range * message - atZero) ** 2
  }
  const [bend, floor] = [bent, off].map((square) => Math.sqrt(square / samples.length)) as [number, number]
  return { ...evalMod, samples: Float64Array.from(samples), bend, floor }
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
  const { samples, arcsine } = evalMod
  const bend = evalMod.bend * Math.min(1, message / TYPICAL_MESSAGE) ** (arcsine ? 5 : 3)
  const result = runPredicted(engine, t, (e, x) => circuit(e, x, evalMod), { samples, identity: [evalMod] })
  const estimate = engine.estimate?.(result)
  if (estimate) engine.declareError?.(result, Math.hypot(estimate.error, bend, evalMod.floor))
  return result
}

function circuit(engine: Evaluator, t: Ciphertext, { series, constants, arcsine }: EvalMod): Ciphertext {
  return scope((use) => {
    let current = use(evaluateChebyshev(engine, t, series))
    for (const constant of constants) {
      const square = use(engine.square(current))
      const doubled = use(engine.addScalar(square, -constant))
      current = use(engine.relinearizeRescale(doubled))
    }
    return arcsine ? use(evaluateChebyshev(engine, current, arcsine)) : current
  })
}
