/** One time step of many neurons over arrays, forwards and backwards, in loops made from the recorded recurrence. */
import { createProgramKernel, type ProgramKernel } from '@he-ml/float-kernels'
import type { Neuron } from '@he-ml/model/spiking'
import { neuronPrograms } from './neuron-programs.ts'

/** A neuron ready for arrays. */
export interface NeuronKernel extends ProgramKernel {
  /** What the programs were made of. */
  readonly neuron: Neuron
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
