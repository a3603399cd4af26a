/** The step as arrays see it: spikes for membrane potentials, and the derivative that a trainer uses in its place. */
import { type ActivationPolynomial, forwardPolynomial } from '@he-ml/activations'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Reals } from '../arithmetic/reals.ts'

/** Derivative that stands for the step's, at z = u - threshold. */
export type SurrogateGradient = (distance: number) => number

/** Works on whole arrays; `out` may be `charged`. */
export interface SpikeFunction {
  /** Spikes (or soft spikes) for membrane potentials before the reset. */
  spikes(charged: Reals, out: Reals): void
  /** ds/du at the same membrane potentials: exact for smooth functions, a surrogate for the step. */
  derivative(charged: Reals, out: Reals): void
}

/**
 * The exact step: 1 where u >= threshold, else 0. Its derivative is the surrogate's, around the threshold; 0 without one.
 */
export function hardSpike(threshold: number, surrogateGradient?: SurrogateGradient): SpikeFunction {
  return {
    spikes(charged, out) {
      const level = out instanceof Float32Array ? Math.fround(threshold) : threshold
      for (let i = 0; i < out.length; i++) out[i] = charged[i]! >= level ? 1 : 0
    },
    derivative(charged, out) {
      if (!surrogateGradient) out.fill(0)
      else for (let i = 0; i < out.length; i++) out[i] = surrogateGradient(charged[i]! - threshold)
    },
  }
}

/**
 * A logistic step 1 / (1 + exp(-(u - threshold) / width)) with its true derivative: for checking gradients.
 * @throws InvalidArgumentError unless the width is positive
 */
export function logisticSpike(threshold: number, width: number): SpikeFunction {
  if (!(width > 0)) throw new InvalidArgumentError(`logisticSpike: expected a positive width, got ${width}`)
  const value = (u: number) => 1 / (1 + Math.exp(-(u - threshold) / width))
  return elementwise(value, (u) => (value(u) * (1 - value(u))) / width)
}

/**
 * What an encrypted neuron computes instead of the step, in the clear: a polynomial in u - threshold. An approximation of
 * 'sign' gives (1 + p) / 2; any other function is taken as the soft spike itself. The derivative is the surrogate's.
 */
export function polynomialSpike(
  threshold: number,
  polynomial: ActivationPolynomial,
  surrogateGradient?: SurrogateGradient,
): SpikeFunction {
  const p = (u: number) => forwardPolynomial(polynomial, u - threshold)
  return elementwise(
    polynomial.function === 'sign' ? (u) => 0.5 + 0.5 * p(u) : p,
    surrogateGradient ? (u) => surrogateGradient(u - threshold) : () => 0,
  )
}

function elementwise(value: (u: number) => number, slope: (u: number) => number): SpikeFunction {
  return {
    spikes(charged, out) {
      for (let i = 0; i < out.length; i++) out[i] = value(charged[i]!)
    },
    derivative(charged, out) {
      for (let i = 0; i < out.length; i++) out[i] = slope(charged[i]!)
    },
  }
}
