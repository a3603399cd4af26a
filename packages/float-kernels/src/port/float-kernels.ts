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
