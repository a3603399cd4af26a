/** One time step of many neurons over arrays, forwards and backwards, in loops made from the recorded recurrence. */
import { recordProgram } from '../arithmetic/program.ts'
import { type Reals, requireAlike, zerosLike } from '../arithmetic/reals.ts'
import { ProgramRunner, TILE } from '../arithmetic/run-program.ts'
import type { Neuron } from './neuron.ts'
import { charge, resetMembrane } from './recurrence.ts'
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
  const chargeProgram = recordProgram((arithmetic, u, x) => charge(arithmetic, neuron, u, x))
  const resetProgram = recordProgram((arithmetic, v, s) => resetMembrane(arithmetic, neuron, v, s))
  const made = new Map<string, Scratch>()
  const scratchFor = (values: Reals): Scratch => {
    const precision = values instanceof Float32Array ? 'float32' : 'float64'
    let scratch = made.get(precision)
    if (!scratch) {
      const runners = [chargeProgram, resetProgram].map((program) => new ProgramRunner(program, precision))
      const [charged, spike, slope, gradientCharged, gradientSpike] = Array.from({ length: 5 }, () =>
        zerosLike(values, TILE),
      ) as [Reals, Reals, Reals, Reals, Reals]
      const arrays = { charged, spike, slope, gradientCharged, gradientSpike }
      scratch = { charge: runners[0]!, reset: runners[1]!, ...arrays }
      made.set(precision, scratch)
    }
    return scratch
  }
  return {
    neuron,
    forward(state, spikeFunction, result) {
      requireAlike('neuron forward', {
        membranePotential: state.membranePotential,
        input: state.input,
        spike: result.spike,
        charged: result.charged,
        'next membranePotential': result.membranePotential,
      })
      const scratch = scratchFor(state.input)
      for (const tile of tiles(state.input.length)) {
        const charged = result.charged ? tile(result.charged) : tile(scratch.charged, 0)
        const spike = tile(result.spike)
        scratch.charge.forward(tile(state.membranePotential), tile(state.input), charged)
        spikeFunction.spikes(charged, spike)
        scratch.reset.forward(charged, spike, tile(result.membranePotential))
      }
    },
    backward(state, spikeFunction, gradients, result, options = {}) {
      requireAlike('neuron backward', {
        membranePotential: state.membranePotential,
        input: state.input,
        'gradient of spike': gradients.spike,
        'gradient of membranePotential': gradients.membranePotential,
        'result for membranePotential': result.membranePotential,
        'result for input': result.input,
      })
      const scratch = scratchFor(state.input)
      for (const tile of tiles(state.input.length)) {
        const [u, x] = [tile(state.membranePotential), tile(state.input)]
        const [charged, spike] = [tile(scratch.charged, 0), tile(scratch.spike, 0)]
        scratch.charge.forward(u, x, charged)
        spikeFunction.spikes(charged, spike)
        const slope = tile(scratch.slope, 0)
        spikeFunction.derivative(charged, slope)
        const [total, throughReset] = [tile(scratch.gradientCharged, 0), tile(scratch.gradientSpike, 0)]
        scratch.reset.backward(charged, spike, tile(gradients.membranePotential), total, throughReset)
        if (options.detachReset) throughReset.fill(0)
        const direct = tile(gradients.spike)
        for (let i = 0; i < total.length; i++) total[i] = total[i]! + (throughReset[i]! + direct[i]!) * slope[i]!
        scratch.charge.backward(u, x, total, tile(result.membranePotential), tile(result.input))
      }
    },
  }
}

/** Programs and temporaries of one precision. */
interface Scratch {
  readonly charge: ProgramRunner
  readonly reset: ProgramRunner
  readonly charged: Reals
  readonly spike: Reals
  readonly slope: Reals
  readonly gradientCharged: Reals
  readonly gradientSpike: Reals
}

/** One function per tile, which takes that tile's part of an array (or as much of one from `start`). */
function* tiles(length: number): Generator<(values: Reals, start?: number) => Reals> {
  for (let begin = 0; begin < length; begin += TILE) {
    const count = Math.min(TILE, length - begin)
    yield (values, start = begin) => values.subarray(start, start + count)
  }
}
