/**
 * Normalisation per channel as a port's tasks. Values are [images, channels, positions].
 *
 * Sums are in double precision, in an order that every implementation keeps: position p of an image goes to lane p mod 8, the
 * lanes are folded in halves (i + (i + 4), then 2, then 1), images are added in ascending order.
 */
import type { Reals } from '../reals.ts'

export interface ChannelSizes {
  readonly images: number
  readonly channels: number
  readonly positions: number
}

/** mean = sum x / count; variance = sum (x - mean)^2 / count (biased); count = images * positions; two passes. */
export interface ChannelMoments<A extends Reals = Reals> extends ChannelSizes {
  readonly input: A
  /** [channels], overwritten. */
  readonly mean: Float64Array
  readonly variance: Float64Array
}

/** output = scale[c] input + shift[c], computed in double precision and rounded once. */
export interface ChannelScaling<A extends Reals = Reals> extends ChannelSizes {
  readonly input: A
  readonly scale: A
  readonly shift: A
  readonly output: A
}

/** plain = sum of gradient, weighted = sum of gradient * input, over images and positions. */
export interface ChannelSums<A extends Reals = Reals> extends ChannelSizes {
  readonly gradient: A
  readonly input: A
  /** [channels], overwritten. */
  readonly plain: Float64Array
  readonly weighted: Float64Array
}

/** inputGradient = factor[c] (gradient - average[c] - (input - centre[c]) slope[c]), in double precision, rounded once. */
export interface NormalizationBackward<A extends Reals = Reals> extends ChannelSizes {
  readonly gradient: A
  readonly input: A
  readonly factor: Float64Array
  readonly average: Float64Array
  readonly centre: Float64Array
  readonly slope: Float64Array
  readonly inputGradient: A
}
