import type { Neuron } from '@he-ml/model/spiking'
import { type Program, recordProgram } from '../arithmetic/program.ts'
import { charge, resetMembrane } from './recurrence.ts'

/** The two halves of a time step, with the spike between them, as lists of operations that any language can follow. */
export interface NeuronPrograms {
  /** (u, x) -> v */
  readonly charge: Program
  /** (v, s) -> u */
  readonly reset: Program
}

/** Records a neuron's dynamics. */
export const neuronPrograms = (neuron: Neuron): NeuronPrograms => ({
  charge: recordProgram((arithmetic, u, x) => charge(arithmetic, neuron, u, x)),
  reset: recordProgram((arithmetic, v, s) => resetMembrane(arithmetic, neuron, v, s)),
})
