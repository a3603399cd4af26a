import { DisposedError, InvalidArgumentError } from '@he-ml/ckks-core'
import { environmentVariable } from '@he-ml/native-runtime'
import { native, nativeAsync } from '../errors.ts'
import { loadFloatKernels } from '../loader.ts'
import type { ChannelMoments, ChannelScaling, ChannelSums, NormalizationBackward } from '../port/channel-tasks.ts'
import type { FloatKernels } from '../port/float-kernels.ts'
import type { Convolution, ConvolutionBackwardInput, ConvolutionBackwardWeight, Gemm } from '../port/matrix-tasks.ts'
import type { NeuronBackward, NeuronForward } from '../port/neuron-tasks.ts'
import type { AveragePool, AveragePoolBackward, MaxPool, MaxPoolBackward } from '../port/pool-tasks.ts'
import type { BindingFloatKernels } from './binding.ts'
import * as channels from './channel-calls.ts'
import { checkConvolution, checkFinite, checkOperands, checkSizes } from './checks.ts'
import * as neurons from './neuron-calls.ts'
import * as pools from './pool-calls.ts'

/** Inner loops, fastest first. */
export type FloatKernelName = 'avx512' | 'avx2' | 'scalar'

/** Options of {@link createFloatKernels}. */
export interface FloatKernelsOptions {
  /** Worker threads, 1 to 256; default: the machine's cores. Results do not depend on it. */
  readonly threads?: number | undefined
  /** Default: what `HE_ML_KERNEL` names (avx512ifma stands for avx512), else the fastest of this processor. */
  readonly kernel?: FloatKernelName | undefined
}

/** The compiled f32 kernels. */
export interface NativeFloatKernels extends FloatKernels<Float32Array>, AsyncDisposable {
  /** Inner loops in use. */
  readonly kernel: FloatKernelName
  /** Worker threads. */
  readonly threads: number
}

const MAX_THREADS = 256

class NativeFloat implements NativeFloatKernels {
  readonly kernel: FloatKernelName
  readonly threads: number
  readonly #binding: BindingFloatKernels
  #closed: Promise<void> | undefined

  constructor(binding: BindingFloatKernels) {
    this.#binding = binding
    this.kernel = binding.kernel as FloatKernelName
    this.threads = binding.threads
  }

  async gemm(job: Gemm<Float32Array>): Promise<void> {
    const { m, n, k, a, b, c, transposeA = false, transposeB = false, alpha = 1, beta = 0 } = job
    checkSizes('gemm', { m, n, k })
    checkFinite('gemm', 'alpha', alpha)
    checkFinite('gemm', 'beta', beta)
    checkOperands('gemm', {
      a: { array: a, length: m * k },
      b: { array: b, length: k * n },
      c: { array: c, length: m * n, output: true },
    })
    await this.#run((x) => x.gemm(m, n, k, a, b, c, transposeA, transposeB, alpha, beta))
  }

  async conv2d(job: Convolution<Float32Array>): Promise<void> {
    const { input, weight, bias, output } = job
    const shape = checkConvolution('conv2d', job)
    checkOperands('conv2d', {
      input: { array: input, length: shape.input },
      weight: { array: weight, length: shape.weight },
      bias: bias && { array: bias, length: job.outChannels },
      output: { array: output, length: shape.output, output: true },
    })
    await this.#run((x) => x.conv2d(shape.words, input, weight, bias, output))
  }

  async conv2dBackwardInput(job: ConvolutionBackwardInput<Float32Array>): Promise<void> {
    const { outputGradient, weight, inputGradient } = job
    const shape = checkConvolution('conv2dBackwardInput', job)
    checkOperands('conv2dBackwardInput', {
      outputGradient: { array: outputGradient, length: shape.output },
      weight: { array: weight, length: shape.weight },
      inputGradient: { array: inputGradient, length: shape.input, output: true },
    })
    await this.#run((x) => x.conv2dBackwardInput(shape.words, outputGradient, weight, inputGradient))
  }

  async conv2dBackwardWeight(job: ConvolutionBackwardWeight<Float32Array>): Promise<void> {
    const { input, outputGradient, weightGradient, biasGradient } = job
    const shape = checkConvolution('conv2dBackwardWeight', job)
    checkOperands('conv2dBackwardWeight', {
      input: { array: input, length: shape.input },
      outputGradient: { array: outputGradient, length: shape.output },
      weightGradient: { array: weightGradient, length: shape.weight, output: true },
      biasGradient: biasGradient && { array: biasGradient, length: job.outChannels, output: true },
    })
    await this.#run((x) => x.conv2dBackwardWeight(shape.words, input, outputGradient, weightGradient, biasGradient))
  }

  async neurons(job: NeuronForward<Float32Array>): Promise<void> {
    await this.#run((x) => neurons.neurons(x, job))
  }

  async neuronsBackward(job: NeuronBackward<Float32Array>): Promise<void> {
    await this.#run((x) => neurons.neuronsBackward(x, job))
  }

  async channelMoments(job: ChannelMoments<Float32Array>): Promise<void> {
    await this.#run((x) => channels.channelMoments(x, job))
  }

  async scaleChannels(job: ChannelScaling<Float32Array>): Promise<void> {
    await this.#run((x) => channels.scaleChannels(x, job))
  }

  async channelSums(job: ChannelSums<Float32Array>): Promise<void> {
    await this.#run((x) => channels.channelSums(x, job))
  }

  async normalizationBackward(job: NormalizationBackward<Float32Array>): Promise<void> {
    await this.#run((x) => channels.normalizationBackward(x, job))
  }

  async averagePool(job: AveragePool<Float32Array>): Promise<void> {
    await this.#run((x) => pools.averagePool(x, job))
  }

  async averagePoolBackward(job: AveragePoolBackward<Float32Array>): Promise<void> {
    await this.#run((x) => pools.averagePoolBackward(x, job))
  }

  async maxPool(job: MaxPool<Float32Array>): Promise<void> {
    await this.#run((x) => pools.maxPool(x, job))
  }

  async maxPoolBackward(job: MaxPoolBackward<Float32Array>): Promise<void> {
    await this.#run((x) => pools.maxPoolBackward(x, job))
  }

  /** Finishes what was queued, then frees threads and memory. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#binding.close()
    return this.#closed
  }

  #run(job: (binding: BindingFloatKernels) => Promise<void>): Promise<void> {
    if (this.#closed) throw new DisposedError('float kernels: used after disposal')
    return nativeAsync(() => job(this.#binding))
  }
}

/** What HE_ML_KERNEL says in the names of the f32 kernels. */
function forcedKernel(): string | undefined {
  const forced = environmentVariable('HE_ML_KERNEL')
  return forced === 'avx512ifma' ? 'avx512' : forced || undefined
}

/**
 * Starts threads for the heavy work of training in f32. Dispose of the result: it holds threads and scratch memory.
 *
 * @throws UnsupportedError when the addon cannot be loaded; InvalidArgumentError for a wrong number of threads or a kernel that
 * does not run on this processor
 *
 * @example
 * ```ts
 * import { createFloatKernels } from '@he-ml/float-kernels'
 *
 * await using kernels = createFloatKernels({ threads: 2 })
 * const c = new Float32Array(4)
 * await kernels.gemm({ m: 2, n: 2, k: 1, a: Float32Array.of(1, 2), b: Float32Array.of(3, 4), c })
 * console.log(c) // 3, 4, 6, 8
 * ```
 */
export function createFloatKernels(options: FloatKernelsOptions = {}): NativeFloatKernels {
  const { threads = 0, kernel = forcedKernel() } = options
  const valid = Number.isInteger(threads) && threads <= MAX_THREADS && (threads >= 1 || options.threads === undefined)
  if (!valid) throw new InvalidArgumentError(`threads: expected an integer from 1 to ${MAX_THREADS}, got ${threads}`)
  const { FloatKernels } = loadFloatKernels()
  return new NativeFloat(native(() => new FloatKernels(threads, kernel)))
}
