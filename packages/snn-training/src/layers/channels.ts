/** Loops over the values of each channel: shape [channels, ...], any number of images. */
import type { Reals } from '@he-ml/snn-neurons'
import { type Signal, sizeOf, zerosLike } from '../tensor/signal.ts'

/** Values of a channel next to each other in one image. */
export const positionsOf = ({ shape }: Signal): number => sizeOf(shape.slice(1))

/** y = scale[c] x + shift[c] */
export function scaleChannels(input: Signal, scale: Reals, shift: Reals): Signal {
  const { data: x } = input
  const y = zerosLike(x)
  const positions = positionsOf(input)
  for (let start = 0, c = 0; start < x.length; start += positions, c = (c + 1) % scale.length) {
    const [factor, constant] = [scale[c]!, shift[c]!]
    for (let i = start; i < start + positions; i++) y[i] = factor * x[i]! + constant
  }
  return { ...input, data: y }
}

/** Sums over each channel, in double precision: of the gradient, and of gradient times input. */
export function channelSums(gradient: Signal, input: Signal) {
  const channels = input.shape[0]!
  const [plain, weighted] = [new Float64Array(channels), new Float64Array(channels)]
  const positions = positionsOf(input)
  for (let start = 0, c = 0; start < input.data.length; start += positions, c = (c + 1) % channels) {
    let [sum, product] = [0, 0]
    for (let i = start; i < start + positions; i++) {
      sum += gradient.data[i]!
      product += gradient.data[i]! * input.data[i]!
    }
    plain[c]! += sum
    weighted[c]! += product
  }
  return { plain, weighted }
}

/** Mean and biased variance of each channel over all images, in double precision and two passes. */
export function channelMoments(input: Signal) {
  const { data: x } = input
  const channels = input.shape[0]!
  const positions = positionsOf(input)
  const count = x.length / channels
  const mean = new Float64Array(channels)
  for (let start = 0, c = 0; start < x.length; start += positions, c = (c + 1) % channels) {
    let sum = 0
    for (let i = start; i < start + positions; i++) sum += x[i]!
    mean[c]! += sum / count
  }
  const variance = new Float64Array(channels)
  for (let start = 0, c = 0; start < x.length; start += positions, c = (c + 1) % channels) {
    const centre = mean[c]!
    let sum = 0
    for (let i = start; i < start + positions; i++) sum += (x[i]! - centre) * (x[i]! - centre)
    variance[c]! += sum / count
  }
  return { mean, variance, count }
}
