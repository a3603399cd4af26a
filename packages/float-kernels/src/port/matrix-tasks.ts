/** Matrix products and convolutions as a port's tasks. All arrays row-major; outputs are overwritten. */
import type { Reals } from '../reals.ts'

/** c = alpha * op(a) op(b) + beta * c with op(a) [m, k], op(b) [k, n], c [m, n]; transposeA: a is [k, m]. */
export interface Gemm<A extends Reals = Reals> {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly a: A
  readonly b: A
  readonly c: A
  readonly transposeA?: boolean | undefined
  readonly transposeB?: boolean | undefined
  /** Default 1. */
  readonly alpha?: number | undefined
  /** Default 0: what c held before does not matter. */
  readonly beta?: number | undefined
}

/** One number for both directions, or [vertical, horizontal]. */
export type Pair = number | readonly [vertical: number, horizontal: number]

/** Sizes of a convolution (cross-correlation) with zero padding on all four sides. */
export interface ConvolutionSizes {
  readonly batch: number
  readonly inChannels: number
  readonly height: number
  readonly width: number
  readonly outChannels: number
  readonly kernel: Pair
  readonly stride: Pair
  readonly padding: Pair
  /** Default 1; divides both channel counts. */
  readonly groups?: number | undefined
}

/** input [batch, inChannels, height, width], weight [outChannels, inChannels / groups, ...kernel], bias [outChannels]. */
export interface Convolution<A extends Reals = Reals> extends ConvolutionSizes {
  readonly input: A
  readonly weight: A
  readonly bias?: A | undefined
  readonly output: A
}

/** Gradient of the input from that of the output. */
export interface ConvolutionBackwardInput<A extends Reals = Reals> extends ConvolutionSizes {
  readonly outputGradient: A
  readonly weight: A
  readonly inputGradient: A
}

/** Gradients of weight and bias from that of the output, summed over the batch. */
export interface ConvolutionBackwardWeight<A extends Reals = Reals> extends ConvolutionSizes {
  readonly input: A
  readonly outputGradient: A
  readonly weightGradient: A
  readonly biasGradient?: A | undefined
}

/** A size in both directions. */
export const bothWays = (size: Pair): readonly [vertical: number, horizontal: number] =>
  typeof size === 'number' ? [size, size] : size

/** Height and width of a convolution's or pooling's result. */
export const outputSize = (size: number, kernel: number, stride: number, padding: number): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1
