/** Smooth steps: the logistic one for checking gradients, and what an encrypted neuron computes. */
import { type ActivationPolynomial, forwardPolynomial } from '@he-ml/activations'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { SpikeFunction, SurrogateGradient } from '@he-ml/float-kernels'

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
