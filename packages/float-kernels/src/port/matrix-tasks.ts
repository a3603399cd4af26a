/** Matrix products and convolutions as a port's tasks. All arrays row-major; outputs are overwritten. */
import type { Reals } from '../reals.ts'

/** c = alpha * op(a) op(b) + beta * c with op(a) [m, k], op(b) [k, n], c [m, n]; transposeA: a is [k, m]. */
export interface Gemm<A extends Reals = Reals> {
  /** Rows of the product. */
  readonly m: number
  /** Columns of the product. */
  readonly n: number
  /** Terms of each sum. */
  readonly k: number
  /** [m, k], or [k, m] with transposeA. */
  readonly a: A
  /** [k, n], or [n, k] with transposeB. */
  readonly b: A
  /** [m, n], read where beta is not 0, overwritten. */
  readonly c: A
  /** Default false. */
  readonly transposeA?: boolean | undefined
  /** Default false. */
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
  /** Images. */
  readonly batch: number
  /** Channels of the input. */
  readonly inChannels: number
  /** Rows of the input. */
  readonly height: number
  /** Columns of the input. */
  readonly width: number
  /** Channels of the output. */
  readonly outChannels: number
  /** Rows and columns of the window. */
  readonly kernel: Pair
  /** Distance between windows. */
  readonly stride: Pair
  /** Zeros on each side. */
  readonly padding: Pair
  /** Default 1; divides both channel counts. */
  readonly groups?: number | undefined
}

/** input [batch, inChannels, height, width], weight [outChannels, inChannels / groups, ...kernel], bias [outChannels]. */
export interface Convolution<A extends Reals = Reals> extends ConvolutionSizes {
  /** [batch, inChannels, height, width]. */
  readonly input: A
  /** [outChannels, inChannels / groups, ...kernel]. */
  readonly weight: A
  /** [outChannels]; absent: zeros. */
  readonly bias?: A | undefined
  /** [batch, outChannels, rows, columns], overwritten. */
  readonly output: A
}

/** Gradient of the input from that of the output. */
export interface ConvolutionBackwardInput<A extends Reals = Reals> extends ConvolutionSizes {
  /** [batch, outChannels, rows, columns]. */
  readonly outputGradient: A
  /** [outChannels, inChannels / groups, ...kernel]. */
  readonly weight: A
  /** [batch, inChannels, height, width], overwritten. */
  readonly inputGradient: A
}

/** Gradients of weight and bias from that of the output, summed over the batch. */
export interface ConvolutionBackwardWeight<A extends Reals = Reals> extends ConvolutionSizes {
  /** [batch, inChannels, height, width]. */
  readonly input: A
  /** [batch, outChannels, rows, columns]. */
  readonly outputGradient: A
  /** [outChannels, inChannels / groups, ...kernel], overwritten. */
  readonly weightGradient: A
  /** [outChannels], overwritten; absent where it is not wanted. */
  readonly biasGradient?: A | undefined
}

/** A size in both directions. */
export const bothWays = (size: Pair): readonly [vertical: number, horizontal: number] =>
  typeof size === 'number' ? [size, size] : size

/** Height and width of a convolution's or pooling's result. */
export const outputSize = (size: number, kernel: number, stride: number, padding: number): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1
