/** Normalisation per channel in plain loops; the order of sums is that of channel-tasks.ts. */

import type {
  ChannelMoments,
  ChannelScaling,
  ChannelSizes,
  ChannelSums,
  NormalizationBackward,
} from '../port/channel-tasks.ts'
import type { Reals } from '../reals.ts'

const LANES = 8

/** Calls `visit` for every image's part of every channel, images ascending. */
function forEachRow(
  { images, channels, positions }: ChannelSizes,
  visit: (channel: number, start: number, end: number) => void,
): void {
  let start = 0
  for (let n = 0; n < images; n++)
    for (let channel = 0; channel < channels; channel++, start += positions) visit(channel, start, start + positions)
}

/** The lanes' sum, folded in halves; clears them. */
function fold(lanes: Float64Array): number {
  for (let half = LANES / 2; half >= 1; half /= 2)
    for (let i = 0; i < half; i++) lanes[i] = lanes[i]! + lanes[i + half]!
  const sum = lanes[0]!
  lanes.fill(0)
  return sum
}

export function measureChannels(task: ChannelMoments): void {
  const { input, mean, variance } = task
  const count = task.images * task.positions
  const lanes = new Float64Array(LANES)
  mean.fill(0)
  forEachRow(task, (c, start, end) => {
    for (let i = start; i < end; i++) lanes[(i - start) & 7]! += input[i]!
    mean[c]! += fold(lanes)
  })
  for (let c = 0; c < mean.length; c++) mean[c] = mean[c]! / count
  variance.fill(0)
  forEachRow(task, (c, start, end) => {
    const centre = mean[c]!
    for (let i = start; i < end; i++) {
      const distance = input[i]! - centre
      lanes[(i - start) & 7]! += distance * distance
    }
    variance[c]! += fold(lanes)
  })
  for (let c = 0; c < variance.length; c++) variance[c] = variance[c]! / count
}

export function scaleChannels(task: ChannelScaling): void {
  const { input, scale, shift, output } = task
  forEachRow(task, (c, start, end) => scaleRow(input, scale[c]!, shift[c]!, output, start, end))
}

function scaleRow(input: Reals, factor: number, constant: number, output: Reals, start: number, end: number): void {
  for (let i = start; i < end; i++) output[i] = factor * input[i]! + constant
}

export function sumChannels(task: ChannelSums): void {
  const { gradient, input, plain, weighted } = task
  const [sums, products] = [new Float64Array(LANES), new Float64Array(LANES)]
  plain.fill(0)
  weighted.fill(0)
  forEachRow(task, (c, start, end) => {
    for (let i = start; i < end; i++) {
      const lane = (i - start) & 7
      sums[lane]! += gradient[i]!
      products[lane]! += gradient[i]! * input[i]!
    }
    plain[c]! += fold(sums)
    weighted[c]! += fold(products)
  })
}

export function normalizeBackward(task: NormalizationBackward): void {
  const { gradient, input, factor, average, centre, slope, inputGradient } = task
  forEachRow(task, (c, start, end) => {
    const [f, a, m, s] = [factor[c]!, average[c]!, centre[c]!, slope[c]!]
    for (let i = start; i < end; i++) inputGradient[i] = f * (gradient[i]! - a - (input[i]! - m) * s)
  })
}
