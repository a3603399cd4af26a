import type { NeuronPrograms } from '@he-ml/float-kernels'
import type { Neuron } from '@he-ml/model/spiking'
import { recordProgram } from '../arithmetic/program.ts'
import { charge, resetMembrane } from './recurrence.ts'

/** Records a neuron's dynamics. */
export const neuronPrograms = (neuron: Neuron): NeuronPrograms => ({
  charge: recordProgram((arithmetic, u, x) => charge(arithmetic, neuron, u, x)),
  reset: recordProgram((arithmetic, v, s) => resetMembrane(arithmetic, neuron, v, s)),
})
