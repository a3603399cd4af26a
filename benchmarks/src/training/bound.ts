/** The least time of an epoch on this processor: its multiply-adds at the rate of the instruction itself, measured now. */
import { availableParallelism } from 'node:os'
import { UnsupportedError } from '@he-ml/ckks-core'
import type { NativeFloatKernels } from '@he-ml/float-kernels'
import type { NetworkDescription } from '@he-ml/snn-training'
import { buildNativePrograms, runNativeProgram } from '../native-programs.ts'
import { trainingMultiplyAdds } from './multiply-adds.ts'

interface BenchLine {
  readonly name: string
  readonly gflops?: number
}

/**
 * Seconds that the products of `images` images take on all cores used, if nothing else is done.
 *
 * @throws UnsupportedError without a C++ compiler, or for a kernel whose rate is not measured
 */
export async function epochBound(
  description: NetworkDescription,
  images: number,
  { kernel, threads }: Pick<NativeFloatKernels, 'kernel' | 'threads'>,
): Promise<number> {
  buildNativePrograms()
  const lines = await runNativeProgram<BenchLine>('float-bench', [`kernel=${kernel}`, 'only=nothing', 'seconds=1'])
  const gflops = lines.find(({ name }) => name === 'multiply-add peak of one core')?.gflops
  if (gflops === undefined) throw new UnsupportedError(`float-bench measures no multiply-add rate for ${kernel}`)
  const cores = Math.min(threads, availableParallelism())
  return (2 * trainingMultiplyAdds(description) * images) / (gflops * 1e9 * cores)
}
