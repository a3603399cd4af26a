/**
 * Normalisation per channel as a port's tasks. Values are [images, channels, positions].
 *
 * Sums are in double precision, in an order that every implementation keeps: position p of an image goes to lane p mod 8, the
 * lanes are folded in halves (i + (i + 4), then 2, then 1), images are added in ascending order.
 */
import type { Reals } from '../reals.ts'

/** Sizes of arrays [images, channels, positions]. */
export interface ChannelSizes {
  /** Tensors of the batch. */
  readonly images: number
  /** Channels of each. */
  readonly channels: number
  /** Values of each channel: height times width. */
  readonly positions: number
}

/** mean = sum x / count; variance = sum (x - mean)^2 / count (biased); count = images * positions; two passes. */
export interface ChannelMoments<A extends Reals = Reals> extends ChannelSizes {
  /** x, [images, channels, positions]. */
  readonly input: A
  /** [channels], overwritten. */
  readonly mean: Float64Array
  /** [channels], overwritten. */
  readonly variance: Float64Array
}

/** output = scale[c] input + shift[c], computed in double precision and rounded once. */
export interface ChannelScaling<A extends Reals = Reals> extends ChannelSizes {
  /** [images, channels, positions]. */
  readonly input: A
  /** [channels]. */
  readonly scale: A
  /** [channels]. */
  readonly shift: A
  /** [images, channels, positions], overwritten. */
  readonly output: A
}

/** plain = sum of gradient, weighted = sum of gradient * input, over images and positions. */
export interface ChannelSums<A extends Reals = Reals> extends ChannelSizes {
  /** [images, channels, positions]. */
  readonly gradient: A
  /** [images, channels, positions]. */
  readonly input: A
  /** [channels], overwritten. */
  readonly plain: Float64Array
  /** [channels], overwritten. */
  readonly weighted: Float64Array
}

/** inputGradient = factor[c] (gradient - average[c] - (input - centre[c]) slope[c]), in double precision, rounded once. */
export interface NormalizationBackward<A extends Reals = Reals> extends ChannelSizes {
  /** [images, channels, positions]. */
  readonly gradient: A
  /** [images, channels, positions]. */
  readonly input: A
  /** [channels]. */
  readonly factor: Float64Array
  /** [channels]. */
  readonly average: Float64Array
  /** [channels]. */
  readonly centre: Float64Array
  /** [channels]. */
  readonly slope: Float64Array
  /** [images, channels, positions], overwritten. */
  readonly inputGradient: A
}
