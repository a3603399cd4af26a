/**
 * What a trainer asks of the machine in f32, and nothing about how it is done: matrix products and convolutions here, neurons,
 * normalisation and pooling in training-jobs.ts.
 */
import type {
  AveragePoolBackwardJob,
  AveragePoolJob,
  ChannelMomentsJob,
  ChannelSumsJob,
  MaxPoolBackwardJob,
  MaxPoolJob,
  NeuronsBackwardJob,
  NeuronsJob,
  NormalizationBackwardJob,
  ScaleChannelsJob,
} from './training-jobs.ts'

/**
 * C = alpha op(A) op(B) + beta C, row-major. op(A) is m x k, op(B) is k x n, C is m x n; `transposeA` says that `a` holds
 * the k x m transpose, `transposeB` that `b` holds n x k.
 */
export interface GemmJob {
  /** Rows of C; 0 is allowed, as for n and k. */
  readonly m: number
  /** Columns of C. */
  readonly n: number
  /** Terms of each sum. */
  readonly k: number
  readonly a: Float32Array
  readonly b: Float32Array
  /** Must not share memory with `a` or `b`. */
  readonly c: Float32Array
  readonly transposeA?: boolean | undefined
  readonly transposeB?: boolean | undefined
  /** Default 1; rounded to f32. */
  readonly alpha?: number | undefined
  /** Default 0: C is not read, whatever it holds. */
  readonly beta?: number | undefined
}

/** One number for both directions, or [vertical, horizontal]. */
export type Pair = number | readonly [vertical: number, horizontal: number]

/** Sizes of a convolution as networks mean it (cross-correlation), NCHW, zero padding on all four sides. */
export interface Conv2dShape {
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

/** output = input * weight + bias. */
export interface Conv2dJob extends Conv2dShape {
  /** batch x inChannels x height x width. */
  readonly input: Float32Array
  /** outChannels x inChannels / groups x kernel. */
  readonly weight: Float32Array
  /** outChannels. */
  readonly bias?: Float32Array | undefined
  /** batch x outChannels x outHeight x outWidth with out = floor((size + 2 padding - kernel) / stride) + 1. Overwritten. */
  readonly output: Float32Array
}

/** Gradient of the input. */
export interface Conv2dBackwardInputJob extends Conv2dShape {
  readonly outputGradient: Float32Array
  readonly weight: Float32Array
  /** Overwritten. */
  readonly inputGradient: Float32Array
}

/** Gradients of weight and bias, summed over the batch. */
export interface Conv2dBackwardWeightJob extends Conv2dShape {
  readonly input: Float32Array
  readonly outputGradient: Float32Array
  /** Overwritten. */
  readonly weightGradient: Float32Array
  /** outChannels. Overwritten. */
  readonly biasGradient?: Float32Array | undefined
}

/**
 * The heavy work of training on threads of its own; the event loop stays free. Jobs are not ordered among each other:
 * await the one whose result the next needs.
 *
 * **Arrays** are used where they lie. Until the promise settles an input must not be written, an output neither read nor
 * written, and none may be transferred (`postMessage`, `structuredClone`): the threads would go on using the memory.
 *
 * **Repeatable**: the same job gives the same bits on any number of threads; all but matrix products and convolutions do so on
 * every kernel. See docs/notes/float-kernels.md for the order of
 * summation.
 *
 * Every method rejects with `InvalidArgumentError` before any work when a size or length is wrong or an output shares memory
 * with another array, with `MemoryError` when there is no memory for scratch, with `DisposedError` after disposal.
 */
export interface FloatKernels {
  gemm(job: GemmJob): Promise<void>
  conv2d(job: Conv2dJob): Promise<void>
  conv2dBackwardInput(job: Conv2dBackwardInputJob): Promise<void>
  conv2dBackwardWeight(job: Conv2dBackwardWeightJob): Promise<void>
  neurons(job: NeuronsJob): Promise<void>
  neuronsBackward(job: NeuronsBackwardJob): Promise<void>
  channelMoments(job: ChannelMomentsJob): Promise<void>
  scaleChannels(job: ScaleChannelsJob): Promise<void>
  channelSums(job: ChannelSumsJob): Promise<void>
  normalizationBackward(job: NormalizationBackwardJob): Promise<void>
  averagePool(job: AveragePoolJob): Promise<void>
  averagePoolBackward(job: AveragePoolBackwardJob): Promise<void>
  maxPool(job: MaxPoolJob): Promise<void>
  /** Rejects with `InvalidArgumentError` also when a winner is no index of the input; `inputGradient` then holds anything. */
  maxPoolBackward(job: MaxPoolBackwardJob): Promise<void>
}
