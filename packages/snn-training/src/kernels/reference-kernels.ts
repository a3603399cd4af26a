import type { FloatKernels } from './float-kernels.ts'
import { multiplyMatrices } from './matrix-product.ts'
import { convolve, convolveBackwardInput, convolveBackwardWeight } from './reference-convolution.ts'

/**
 * The kernels in plain TypeScript, in single or double precision. They run on the calling thread: for small networks, for
 * gradient checks in double precision, and where no addon was built.
 */
export const referenceKernels: FloatKernels = {
  gemm: async (task) => multiplyMatrices(task),
  conv2d: async (task) => convolve(task),
  conv2dBackwardInput: async (task) => convolveBackwardInput(task),
  conv2dBackwardWeight: async (task) => convolveBackwardWeight(task),
}
