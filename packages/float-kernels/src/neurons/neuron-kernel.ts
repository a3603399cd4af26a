/** One time step of many neurons over arrays, forwards and backwards. */
import type { Reals } from '../reals.ts'
import type { Program } from './program.ts'
import type { SpikeFunction } from './spike-function.ts'

/** The two halves of a step, before and after the threshold. */
export interface NeuronPrograms {
  /** Inputs: u and x. */
  readonly charge: Program
  /** Inputs: v and s. */
  readonly reset: Program
}

/** Membrane potential after the last step, and the input of this one; same length and precision. */
export interface KernelState {
  /** After the last step, and its reset. */
  readonly membranePotential: Reals
  /** Of this step. */
  readonly input: Reals
}

/** Where a step's results go; `membranePotential` may be the array it came from. */
export interface KernelResult {
  /** What the spike function gives for the charged membrane. */
  readonly spike: Reals
  /** After the reset. */
  readonly membranePotential: Reals
  /** Membrane potential before the reset. */
  readonly charged?: Reals
}

/** Gradients of the loss with respect to a step's two results. */
export interface KernelGradients {
  /** Of the loss, by the spikes. */
  readonly spike: Reals
  /** Of the loss, by the membrane after the reset. */
  readonly membranePotential: Reals
}

/** Gradients with respect to what went in; `membranePotential` may be the incoming gradient's array. */
export interface KernelInputGradients {
  /** Of the loss, by the membrane before the step. */
  readonly membranePotential: Reals
  /** Of the loss, by the input. */
  readonly input: Reals
}

/** Loops for the programs of one neuron. */
export interface ProgramKernel {
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
