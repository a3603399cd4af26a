/**
 * evalMod: from m / q0 + I to m / q0, slot by slot, by a function of period 1 that is the identity near 0: a sine. With
 * y = x - 1/4, sin(2 pi x) = cos(2 pi y) is even, so half the coefficients of its Chebyshev series vanish; the series is that
 * of cos(2 pi y / 2^r), and r times cos 2a = 2 cos^2 a - 1 brings the angle back (Han and Ki, ePrint 2019/688). Every stage
 * carries its own amplitude, chosen so that doubling is d -> d^2 - constant, without a product by 2; the last amplitude is the
 * factor that turns the sine into the message, so nothing is left to multiply. What the sine bends (its cubic term) may be
 * straightened by the arcsine's cubic term (ePrint 2020/552).
 */

import { RAISE_BOUND } from '../../parameters/ephemeral.ts'
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
  /** Amplitude of the sine after the last doubling. */
  readonly amplitude: number
  /** Cubic correction of the sine, or undefined; takes and gives values divided by the range. */
  readonly arcsine: Polynomial | undefined
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
  return {
    series: chebyshevPolynomial(cosineSeries({ degree, doubleAngles, bound: ANGLE_BOUND, amplitude: current })),
    constants,
    amplitude,
    arcsine: spec.arcsine ? chebyshevPolynomial(cubic) : undefined,
  }
}

/** Evaluates it on t = (m / q0 + I - 1/4) / ANGLE_BOUND; the result is at nominal scale. The input is only read. */
export function evaluateEvalMod(engine: Evaluator, t: Ciphertext, evalMod: EvalMod): Ciphertext {
  return scope((use) => {
    let current = use(evaluateChebyshev(engine, t, evalMod.series))
    for (const constant of evalMod.constants) {
      const square = use(engine.square(current))
      const doubled = use(engine.addScalar(square, -constant))
      current = use(engine.rescale(use(engine.relinearize(doubled))))
    }
    return evalMod.arcsine ? use(evaluateChebyshev(engine, current, evalMod.arcsine)) : current
  })
}
