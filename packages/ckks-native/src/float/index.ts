/**
 * f32 matrix products and convolutions on threads of their own, for training in the clear. No ciphertexts, no keys.
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
