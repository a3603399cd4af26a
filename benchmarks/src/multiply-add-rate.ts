/** The rate of single-precision multiply-adds that the processor's own instruction allows, measured now. */
import { availableParallelism } from 'node:os'
import { UnsupportedError } from '@he-ml/ckks-core'
import type { NativeFloatKernels } from '@he-ml/float-kernels'
import { buildNativePrograms, runNativeProgram } from './native-programs.ts'

interface BenchLine {
  readonly name: string
  readonly gflops?: number
}

/**
 * Multiply-adds per second on all cores used.
 *
 * @throws UnsupportedError without a C++ compiler, or for a kernel whose rate is not measured
 */
export async function multiplyAddRate({
  kernel,
  threads,
}: Pick<NativeFloatKernels, 'kernel' | 'threads'>): Promise<number> {
  buildNativePrograms(['float-bench'])
  const lines = await runNativeProgram<BenchLine>('float-bench', [`kernel=${kernel}`, 'only=nothing', 'seconds=1'])
  const gflops = lines.find(({ name }) => name === 'multiply-add peak of one core')?.gflops
  if (gflops === undefined) throw new UnsupportedError(`float-bench measures no multiply-add rate for ${kernel}`)
  return ((gflops * 1e9) / 2) * Math.min(threads, availableParallelism())
}

/** The rate, or undefined, with a line that says why, where it cannot be measured. */
export async function rateOrNone(kernels: NativeFloatKernels): Promise<number | undefined> {
  try {
    return await multiplyAddRate(kernels)
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error
    console.error(`no bound: ${error.message}`)
    return undefined
  }
}
