/** Jobs of normalisation, checked and handed to the addon. */

import type { ChannelMoments, ChannelScaling, ChannelSums, NormalizationBackward } from '../port/channel-tasks.ts'
import type { BindingFloatKernels } from './binding.ts'
import { checkChannels, checkOperands } from './checks.ts'

const doubles = (array: Float64Array, length: number) => ({ array, length, type: 'Float64Array' }) as const

export function channelMoments(binding: BindingFloatKernels, job: ChannelMoments<Float32Array>): Promise<void> {
  const { images, channels, positions, input, mean, variance } = job
  const length = checkChannels('channelMoments', job)
  checkOperands('channelMoments', {
    input: { array: input, length },
    mean: { ...doubles(mean, channels), output: true },
    variance: { ...doubles(variance, channels), output: true },
  })
  return binding.channelMoments(images, channels, positions, input, mean, variance)
}

export function scaleChannels(binding: BindingFloatKernels, job: ChannelScaling<Float32Array>): Promise<void> {
  const { images, channels, positions, input, scale, shift, output } = job
  const length = checkChannels('scaleChannels', job)
  checkOperands('scaleChannels', {
    input: { array: input, length },
    scale: { array: scale, length: channels },
    shift: { array: shift, length: channels },
    output: { array: output, length, output: true },
  })
  return binding.scaleChannels(images, channels, positions, input, scale, shift, output)
}

export function channelSums(binding: BindingFloatKernels, job: ChannelSums<Float32Array>): Promise<void> {
  const { images, channels, positions, gradient, input, plain, weighted } = job
  const length = checkChannels('channelSums', job)
  checkOperands('channelSums', {
    gradient: { array: gradient, length },
    input: { array: input, length },
    plain: { ...doubles(plain, channels), output: true },
    weighted: { ...doubles(weighted, channels), output: true },
  })
  return binding.channelSums(images, channels, positions, gradient, input, plain, weighted)
}

export function normalizationBackward(
  binding: BindingFloatKernels,
  job: NormalizationBackward<Float32Array>,
): Promise<void> {
  const { images, channels, positions, gradient, input, factor, average, centre, slope, inputGradient } = job
  const length = checkChannels('normalizationBackward', job)
  checkOperands('normalizationBackward', {
    gradient: { array: gradient, length },
    input: { array: input, length },
    factor: doubles(factor, channels),
    average: doubles(average, channels),
    centre: doubles(centre, channels),
    slope: doubles(slope, channels),
    inputGradient: { array: inputGradient, length, output: true },
  })
  return binding.normalizationBackward(
    images,
    channels,
    positions,
    gradient,
    input,
    factor,
    average,
    centre,
    slope,
    inputGradient,
  )
}
