/**
 * f32 matrix products, convolutions, neurons, normalisation and pooling as a port, with loops in TypeScript and native kernels on
 * threads of their own, for networks in the clear. No ciphertexts, no keys.
 *
 * @packageDocumentation
 */
export { type FloatBatch, type FloatLayer, isFloatLayer } from './layers/float-layer.ts'
export {
  createFloatKernels,
  type FloatKernelName,
  type FloatKernelsOptions,
  type NativeFloatKernels,
} from './native/create-float-kernels.ts'
export {
  excessOverGrid,
  isInsideGrid,
  roundToGrid,
  stopOutsideGrid,
} from './neurons/grid.ts'
export type {
  KernelGradients,
  KernelInputGradients,
  KernelResult,
  KernelState,
  NeuronPrograms,
  ProgramKernel,
} from './neurons/neuron-kernel.ts'
export type { Instruction, Program, Register } from './neurons/program.ts'
export { createProgramKernel, type MembraneRounding } from './neurons/program-kernel.ts'
export { hardSpike, type SpikeFunction } from './neurons/spike-function.ts'
export {
  completeSurrogate,
  createSurrogateGradient,
  type SurrogateDescription,
  type SurrogateGradient,
} from './neurons/surrogate-gradient.ts'
export type {
  ChannelMoments,
  ChannelScaling,
  ChannelSizes,
  ChannelSums,
  NormalizationBackward,
} from './port/channel-tasks.ts'
export type { FloatKernels } from './port/float-kernels.ts'
export {
  type Convolution,
  type ConvolutionBackwardInput,
  type ConvolutionBackwardWeight,
  type ConvolutionSizes,
  type Gemm,
  outputSize,
  type Pair,
} from './port/matrix-tasks.ts'
export type { NeuronBackward, NeuronForward, NeuronTask } from './port/neuron-tasks.ts'
export type { AveragePool, AveragePoolBackward, MaxPool, MaxPoolBackward, PoolSizes } from './port/pool-tasks.ts'
export { type Reals, requireAlike, zerosLike } from './reals.ts'
export { countClipped } from './reference/neurons.ts'
export { type NeuronKernels, neuronKernelsWith, referenceKernels } from './reference/reference-kernels.ts'
