/** Jobs of pooling, checked and handed to the addon. */

import type { AveragePool, AveragePoolBackward, MaxPool, MaxPoolBackward } from '../port/pool-tasks.ts'
import type { BindingFloatKernels } from './binding.ts'
import { checkOperands, checkPool } from './checks.ts'

export function averagePool(binding: BindingFloatKernels, job: AveragePool<Float32Array>): Promise<void> {
  const pool = checkPool('averagePool', job)
  checkOperands('averagePool', {
    input: { array: job.input, length: pool.input },
    output: { array: job.output, length: pool.output, output: true },
  })
  return binding.averagePool(...pool.sizes, job.input, job.output)
}

export function averagePoolBackward(
  binding: BindingFloatKernels,
  job: AveragePoolBackward<Float32Array>,
): Promise<void> {
  const { outputGradient, inputGradient } = job
  const pool = checkPool('averagePoolBackward', job)
  checkOperands('averagePoolBackward', {
    outputGradient: { array: outputGradient, length: pool.output },
    inputGradient: { array: inputGradient, length: pool.input, output: true },
  })
  return binding.averagePoolBackward(...pool.sizes, outputGradient, inputGradient)
}

export function maxPool(binding: BindingFloatKernels, job: MaxPool<Float32Array>): Promise<void> {
  const { input, output, winners } = job
  const pool = checkPool('maxPool', job)
  checkOperands('maxPool', {
    input: { array: input, length: pool.input },
    output: { array: output, length: pool.output, output: true },
    winners: { array: winners, length: pool.output, type: 'Uint32Array', output: true },
  })
  return binding.maxPool(...pool.sizes, input, output, winners)
}

export function maxPoolBackward(binding: BindingFloatKernels, job: MaxPoolBackward<Float32Array>): Promise<void> {
  const { outputGradient, winners, inputGradient } = job
  const pool = checkPool('maxPoolBackward', job)
  checkOperands('maxPoolBackward', {
    outputGradient: { array: outputGradient, length: pool.output },
    winners: { array: winners, length: pool.output, type: 'Uint32Array' },
    inputGradient: { array: inputGradient, length: pool.input, output: true },
  })
  return binding.maxPoolBackward(...pool.sizes, outputGradient, winners, inputGradient)
}
