import { native } from './errors.ts'
import { loadNative } from './loader.ts'

/**
 * Which kernels this build has for this processor, slowest first, and which one runs. `HE_ML_KERNEL` forces one.
 * @throws UnsupportedError when the engine cannot be loaded
 */
export function kernels(): {
  /** The one that runs: 'avx512ifma', 'avx2' or 'scalar'. */
  readonly active: string
  /** Those that this processor can run, slowest first. */
  readonly supported: readonly string[]
} {
  return native(() => loadNative().kernels())
}
