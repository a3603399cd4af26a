/**
 * The heavy arithmetic of training as a port: matrix products, convolutions, neurons, normalisation and pooling, asynchronous
 * so that they can run on threads of their own. An addon or {@link referenceKernels} implements it. All arrays row-major;
 * outputs are overwritten. Everything but matrix products and convolutions gives the same bits in every implementation.
 */
import type { Reals } from '@he-ml/snn-neurons'
import type { ChannelMoments, ChannelScaling, ChannelSums, NormalizationBackward } from './channel-tasks.ts'
import type { NeuronBackward, NeuronForward } from './neuron-tasks.ts'
import type { AveragePool, AveragePoolBackward, MaxPool, MaxPoolBackward } from './pool-tasks.ts'

/** c = alpha * op(a) op(b) + beta * c with op(a) [m, k], op(b) [k, n], c [m, n]; transposeA: a is [k, m]. */
export interface Gemm<A extends Reals = Reals> {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly a: A
  readonly b: A
  readonly c: A
  readonly transposeA?: boolean
  readonly transposeB?: boolean
  /** Default 1. */
  readonly alpha?: number
  /** Default 0: what c held before does not matter. */
  readonly beta?: number
}

/** Sizes of a convolution (cross-correlation) with zero padding. */
export interface ConvolutionSizes {
  readonly batch: number
  readonly inChannels: number
  readonly height: number
  readonly width: number
  readonly outChannels: number
  readonly kernel: readonly [height: number, width: number]
  readonly stride: number
  readonly padding: number
  /** Default 1; divides both channel counts. */
  readonly groups?: number
}

/** input [batch, inChannels, height, width], weight [outChannels, inChannels / groups, ...kernel], bias [outChannels]. */
export interface Convolution<A extends Reals = Reals> extends ConvolutionSizes {
  readonly input: A
  readonly weight: A
  readonly bias?: A
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
  readonly biasGradient?: A
}

/** Implementations must give the same bits for the same arguments, so that a training run can be repeated. */
export interface FloatKernels<A extends Reals = Reals> {
  gemm(task: Gemm<A>): Promise<void>
  conv2d(task: Convolution<A>): Promise<void>
  conv2dBackwardInput(task: ConvolutionBackwardInput<A>): Promise<void>
  conv2dBackwardWeight(task: ConvolutionBackwardWeight<A>): Promise<void>
  neurons(task: NeuronForward<A>): Promise<void>
  neuronsBackward(task: NeuronBackward<A>): Promise<void>
  channelMoments(task: ChannelMoments<A>): Promise<void>
  scaleChannels(task: ChannelScaling<A>): Promise<void>
  channelSums(task: ChannelSums<A>): Promise<void>
  normalizationBackward(task: NormalizationBackward<A>): Promise<void>
  averagePool(task: AveragePool<A>): Promise<void>
  averagePoolBackward(task: AveragePoolBackward<A>): Promise<void>
  maxPool(task: MaxPool<A>): Promise<void>
  maxPoolBackward(task: MaxPoolBackward<A>): Promise<void>
}

/** Height and width of a convolution's or pooling's result. */
export const outputSize = (size: number, kernel: number, stride: number, padding: number): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1
