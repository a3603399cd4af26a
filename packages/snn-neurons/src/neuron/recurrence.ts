/**
 * The dynamics, written once. A time step is charge (u, x) -> v, then spike s = H(v - threshold), then reset (v, s) -> u.
 * Charge and reset are expressions over an abstract arithmetic; the step between them is a parameter, because every user
 * has another one: exact in the clear, with a surrogate gradient in training, an approximation on ciphertexts.
 */

import type { Neuron } from '@he-ml/model/spiking'
import type { Arithmetic } from '../arithmetic/arithmetic.ts'
import { numberArithmetic } from '../arithmetic/number-arithmetic.ts'

/** The membrane potential before the step: beta u + x, or a (u - u1)(u - u2) + x. */
export function charge<V>(arithmetic: Arithmetic<V>, neuron: Neuron, membranePotential: V, input: V): V {
  return arithmetic.add(drift(arithmetic, neuron, membranePotential), input)
}

/** What becomes of the membrane potential in a step without input. */
export function drift<V>(arithmetic: Arithmetic<V>, neuron: Neuron, membranePotential: V): V {
  if (neuron.kind === 'lif') return arithmetic.scale(membranePotential, neuron.beta)
  const { a, u1, u2 } = neuron
  const left = arithmetic.addConstant(membranePotential, -u1)
  if (u1 === u2) return arithmetic.scale(arithmetic.square(left), a)
  return arithmetic.mul(arithmetic.scale(left, a), arithmetic.addConstant(membranePotential, -u2))
}

/** {@link drift} of a membrane at 0, where every neuron starts. */
export const driftFromZero = (neuron: Neuron): number => drift(numberArithmetic, neuron, 0)

/** The membrane potential after the step: v - s threshold, v (1 - s), or v. */
export function resetMembrane<V>(arithmetic: Arithmetic<V>, neuron: Neuron, charged: V, spike: V): V {
  if (neuron.reset === 'none') return charged
  if (neuron.reset === 'subtract') return arithmetic.sub(charged, arithmetic.scale(spike, neuron.threshold))
  return arithmetic.mul(charged, arithmetic.addConstant(arithmetic.scale(spike, -1), 1))
}

/** One time step of a neuron. */
export interface NeuronStep<V> {
  /** Membrane potential before the reset, on which the step acts. */
  readonly charged: V
  /** Of the charged membrane: 0 or 1 for an exact step. */
  readonly spike: V
  /** Membrane potential after the reset. */
  readonly membranePotential: V
}

/**
 * Charge, step, reset. `step` gives the spike for a charged membrane potential.
 *
 * @example
 * ```ts
 * import { advance, createNeuron, numberArithmetic } from '@he-ml/snn-neurons'
 * const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' })
 * const exact = (v: number) => (v >= neuron.threshold ? 1 : 0)
 * console.log(advance(numberArithmetic, neuron, { membranePotential: 0.8, input: 0.75 }, exact))
 * // charged 1.15, spike 1, membranePotential about 0.15
 * ```
 */
export function advance<V>(
  arithmetic: Arithmetic<V>,
  neuron: Neuron,
  state: { readonly membranePotential: V; readonly input: V },
  step: (charged: V) => V,
): NeuronStep<V> {
  const charged = charge(arithmetic, neuron, state.membranePotential, state.input)
  const spike = step(charged)
  return { charged, spike, membranePotential: resetMembrane(arithmetic, neuron, charged, spike) }
}
