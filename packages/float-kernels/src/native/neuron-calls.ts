/** Jobs of neurons, checked and handed to the addon. */

import type { NeuronBackward, NeuronForward } from '../port/neuron-tasks.ts'
import type { BindingFloatKernels } from './binding.ts'
import { checkOperands } from './checks.ts'
import { checkPull, encodeModel, encodeSurrogate } from './encode-neurons.ts'

export function neurons(binding: BindingFloatKernels, job: NeuronForward<Float32Array>): Promise<void> {
  const { input, spikes, membranePotentials, charged } = job
  const { charge, reset, sizes, numbers, lengths } = encodeModel('neurons', job)
  const length = lengths.steps
  checkOperands('neurons', {
    input: { array: input, length: lengths.inputs },
    spikes: { array: spikes, length, output: true },
    membranePotentials: { array: membranePotentials, length, output: true },
    charged: charged && { array: charged, length, output: true },
  })
  return binding.neurons(
    Uint32Array.from(sizes),
    charge.words,
    charge.constants,
    reset.words,
    reset.constants,
    Float64Array.from(numbers),
    input,
    spikes,
    membranePotentials,
    charged,
  )
}

export function neuronsBackward(binding: BindingFloatKernels, job: NeuronBackward<Float32Array>): Promise<void> {
  const { input, membranePotentials, surrogate, detachReset, pull = 0 } = job
  const { spikeGradient, membraneGradient, inputGradient } = job
  const { charge, reset, sizes, numbers, lengths } = encodeModel('neuronsBackward', job)
  const kind = encodeSurrogate('neuronsBackward', surrogate)
  checkPull('neuronsBackward', pull)
  const length = lengths.steps
  checkOperands('neuronsBackward', {
    input: { array: input, length: lengths.inputs },
    membranePotentials: { array: membranePotentials, length },
    spikeGradient: spikeGradient && { array: spikeGradient, length },
    membraneGradient: membraneGradient && { array: membraneGradient, length },
    inputGradient: { array: inputGradient, length: lengths.inputs, output: true },
  })
  return binding.neuronsBackward(
    Uint32Array.of(...sizes, kind, detachReset ? 1 : 0),
    charge.words,
    charge.constants,
    reset.words,
    reset.constants,
    Float64Array.of(...numbers, surrogate.width, surrogate.height, pull),
    input,
    membranePotentials,
    spikeGradient,
    membraneGradient,
    inputGradient,
  )
}
