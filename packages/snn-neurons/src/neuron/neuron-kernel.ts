/** One time step of many neurons over arrays, forwards and backwards, in loops made from the recorded recurrence. */

import type { Neuron } from '@he-ml/model/spiking'
import type { Reals } from '../arithmetic/reals.ts'
import { neuronPrograms } from './neuron-programs.ts'
import { createProgramKernel } from './program-kernel.ts'
import type { SpikeFunction } from './spike-function.ts'

/** Membrane potential after the last step, and the input of this one; same length and precision. */
export interface KernelState {
  readonly membranePotential: Reals
  readonly input: Reals
}

/** Where a step's results go; `membranePotential` may be the array it came from. */
export interface KernelResult {
  readonly spike: Reals
  readonly membranePotential: Reals
  /** Membrane potential before the reset. */
  readonly charged?: Reals
}

/** Gradients of the loss with respect to a step's two results. */
export interface KernelGradients {
  readonly spike: Reals
  readonly membranePotential: Reals
}

/** Gradients with respect to what went in; `membranePotential` may be the incoming gradient's array. */
export interface KernelInputGradients {
  readonly membranePotential: Reals
  readonly input: Reals
}

/** A neuron ready for arrays. */
export interface NeuronKernel {
  readonly neuron: Neuron
  /** @throws InvalidArgumentError when lengths or precisions differ */
  forward(state: KernelState, spikeFunction: SpikeFunction, result: KernelResult): void
  /**
   * Vector-Jacobian product of one step at the same state: du_next/du, du_next/dx, ds/du, ds/dx, with the spike
   * function's derivative for the step's. With `detachReset`, no gradient flows through the spike in the reset.
   *
   * @throws InvalidArgumentError when lengths or precisions differ
   */
  backward(
    state: KernelState,
    spikeFunction: SpikeFunction,
    gradients: KernelGradients,
    result: KernelInputGradients,
    options?: { readonly detachReset?: boolean },
  ): void
}

/**
 * Loops for one neuron type. A kernel holds scratch memory for arrays of one precision at a time; it is not for use from
 * within its own callbacks.
 *
 * @example
 * ```ts
 * import { createNeuron, createNeuronKernel, hardSpike } from '@he-ml/snn-neurons'
 * const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' })
 * const kernel = createNeuronKernel(neuron)
 * const u = new Float32Array(3)
 * const spike = new Float32Array(3)
 * for (let t = 0; t < 2; t++)
 *   kernel.forward({ membranePotential: u, input: Float32Array.of(0.5, 0.75, 1) }, hardSpike(1), { spike, membranePotential: u })
 * console.log(spike, u) // 0 1 1 and 0.75 0.125 0
 * ```
 */
export function createNeuronKernel(neuron: Neuron): NeuronKernel {
  return { neuron, ...createProgramKernel(neuronPrograms(neuron)) }
}
