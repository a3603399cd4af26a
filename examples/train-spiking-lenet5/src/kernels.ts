import { UnsupportedError } from '@he-ml/ckks-core'
import { createFloatKernels, type FloatKernels, referenceKernels } from '@he-ml/float-kernels'

/** Kernels until the end of a block, and what to call them; threads change nothing but the time. */
export interface UsedKernels extends AsyncDisposable {
  readonly kernels: FloatKernels<Float32Array>
  readonly name: string
}

export interface KernelOptions {
  readonly threads?: number | undefined
  /** Plain TypeScript even where the addon is there. */
  readonly plain?: boolean | undefined
  /** Hears that the addon is missing. */
  readonly onNotice: (text: string) => void
}

const PLAIN: UsedKernels = {
  // they take arrays of either precision
  kernels: referenceKernels as FloatKernels<Float32Array>,
  name: 'plain TypeScript',
  async [Symbol.asyncDispose]() {},
}

/** The native kernels; where the addon is missing the plain ones, and a notice. */
export function openKernels({ threads, plain = false, onNotice }: KernelOptions): UsedKernels {
  if (plain) return PLAIN
  try {
    const kernels = createFloatKernels({ threads })
    return { kernels, name: `native, ${kernels.kernel}`, [Symbol.asyncDispose]: () => kernels[Symbol.asyncDispose]() }
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error
    onNotice(`THE NATIVE KERNELS ARE MISSING; plain TypeScript does the work, many times slower.\n${error.message}`)
    return PLAIN
  }
}
