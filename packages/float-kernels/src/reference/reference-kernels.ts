import { hardSpike, type SpikeFunction } from '../neurons/spike-function.ts'
import { createSurrogateGradient } from '../neurons/surrogate-gradient.ts'
import type { FloatKernels } from '../port/float-kernels.ts'
import { measureChannels, normalizeBackward, scaleChannels, sumChannels } from './channels.ts'
import { convolve, convolveBackwardInput, convolveBackwardWeight } from './convolution.ts'
import { multiplyMatrices } from './matrix-product.ts'
import { runNeurons, runNeuronsBackward } from './neurons.ts'
import { averageWindows, largestOfWindows, rewardWinners, spreadWindows } from './pooling.ts'

/** The part of the port that neurons need. */
export type NeuronKernels = Pick<FloatKernels, 'neurons' | 'neuronsBackward'>

/** Neurons with another step than the exact one and its surrogate. */
export const neuronKernelsWith = (step: SpikeFunction): NeuronKernels => ({
  neurons: async (task) => runNeurons(task, step),
  neuronsBackward: async (task) => runNeuronsBackward(task, step),
})

/**
 * The kernels in plain TypeScript, in single or double precision. They run on the calling thread: for small networks, for
 * gradient checks in double precision, and where no addon was built.
 */
export const referenceKernels: FloatKernels = {
  gemm: async (task) => multiplyMatrices(task),
  conv2d: async (task) => convolve(task),
  conv2dBackwardInput: async (task) => convolveBackwardInput(task),
  conv2dBackwardWeight: async (task) => convolveBackwardWeight(task),
  neurons: async (task) => runNeurons(task, hardSpike(task.threshold)),
  neuronsBackward: async (task) =>
    runNeuronsBackward(task, hardSpike(task.threshold, createSurrogateGradient(task.surrogate))),
  channelMoments: async (task) => measureChannels(task),
  scaleChannels: async (task) => scaleChannels(task),
  channelSums: async (task) => sumChannels(task),
  normalizationBackward: async (task) => normalizeBackward(task),
  averagePool: async (task) => averageWindows(task),
  averagePoolBackward: async (task) => spreadWindows(task),
  maxPool: async (task) => largestOfWindows(task),
  maxPoolBackward: async (task) => rewardWinners(task),
}
