/**
 * The heavy arithmetic of clear networks as a port: matrix products, convolutions, neurons, normalisation and pooling, asynchronous
 * so that they can run on threads of their own. The native kernels or {@link referenceKernels} implement it. All arrays
 * row-major; outputs are overwritten. Everything but matrix products and convolutions gives the same bits in every implementation.
 */
import type { Reals } from '../reals.ts'
import type { ChannelMoments, ChannelScaling, ChannelSums, NormalizationBackward } from './channel-tasks.ts'
import type { Convolution, ConvolutionBackwardInput, ConvolutionBackwardWeight, Gemm } from './matrix-tasks.ts'
import type { NeuronBackward, NeuronForward } from './neuron-tasks.ts'
import type { AveragePool, AveragePoolBackward, MaxPool, MaxPoolBackward } from './pool-tasks.ts'

/** Implementations must give the same bits for the same arguments, so that a training run can be repeated. */
export interface FloatKernels<A extends Reals = Reals> {
  /** Matrix product. */
  gemm(task: Gemm<A>): Promise<void>
  /** Convolution over a batch. */
  conv2d(task: Convolution<A>): Promise<void>
  /** Its gradient by the input. */
  conv2dBackwardInput(task: ConvolutionBackwardInput<A>): Promise<void>
  /** Its gradients by weight and bias. */
  conv2dBackwardWeight(task: ConvolutionBackwardWeight<A>): Promise<void>
  /** Neurons over all time steps. */
  neurons(task: NeuronForward<A>): Promise<void>
  /** Their gradients, backwards through time. */
  neuronsBackward(task: NeuronBackward<A>): Promise<void>
  /** Mean and variance of every channel. */
  channelMoments(task: ChannelMoments<A>): Promise<void>
  /** Scale and shift of every channel. */
  scaleChannels(task: ChannelScaling<A>): Promise<void>
  /** Sums that the gradients of scale and shift are. */
  channelSums(task: ChannelSums<A>): Promise<void>
  /** Gradient of a normalisation by its input. */
  normalizationBackward(task: NormalizationBackward<A>): Promise<void>
  /** Means of windows. */
  averagePool(task: AveragePool<A>): Promise<void>
  /** Gradient of {@link FloatKernels.averagePool} by its input. */
  averagePoolBackward(task: AveragePoolBackward<A>): Promise<void>
  /** Largest values of windows, and where they are. */
  maxPool(task: MaxPool<A>): Promise<void>
  /** Gradient of {@link FloatKernels.maxPool} by its input. */
  maxPoolBackward(task: MaxPoolBackward<A>): Promise<void>
}
