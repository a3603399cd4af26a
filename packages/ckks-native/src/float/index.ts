/**
 * f32 matrix products, convolutions, neurons, normalisation and pooling on threads of their own, for training in the clear. No
 * ciphertexts, no keys.
 *
 * @packageDocumentation
 */
export {
  createFloatKernels,
  type FloatKernelName,
  type FloatKernelsOptions,
  type NativeFloatKernels,
} from './create-float-kernels.ts'
export type {
  Conv2dBackwardInputJob,
  Conv2dBackwardWeightJob,
  Conv2dJob,
  Conv2dShape,
  FloatKernels,
  GemmJob,
  Pair,
} from './float-kernels.ts'
export type {
  AveragePoolBackwardJob,
  AveragePoolJob,
  ChannelMomentsJob,
  ChannelSizes,
  ChannelSumsJob,
  Instruction,
  MaxPoolBackwardJob,
  MaxPoolJob,
  MembraneGrid,
  NeuronModel,
  NeuronsBackwardJob,
  NeuronsJob,
  NormalizationBackwardJob,
  PoolSizes,
  Program,
  Register,
  ScaleChannelsJob,
  Surrogate,
} from './training-jobs.ts'
