import { UnsupportedError } from '@he-ml/ckks-core'
import type { FloatKernels } from '@he-ml/float-kernels'

/** The package is loaded when it is needed: its addon is for Node.js, and other parts of this one run elsewhere too. */
export async function openKernels(): Promise<FloatKernels<Float32Array> & AsyncDisposable> {
  const { createFloatKernels, referenceKernels } = await import('@he-ml/float-kernels')
  try {
    return createFloatKernels()
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error
    return { ...referenceKernels, [Symbol.asyncDispose]: async () => undefined }
  }
}
