/**
 * Threshold-dependent batch normalisation (Zheng et al., arXiv 2011.05280): every channel over time, batch and positions to
 * mean 0 and deviation alpha * threshold, then gamma and beta as usual. With running statistics it is an affine map; training
 * with frozen statistics and inference compute that very map, so they agree bit for bit.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Shape } from '@he-ml/model'
import type { TdBatchNormDescription } from '@he-ml/model/spiking'
import type { Reals } from '@he-ml/snn-neurons'
import { type Signal, zeros } from '../tensor/signal.ts'
import { channelSizesOf } from './channels.ts'
import { Kept } from './kept.ts'
import type { Layer, NamedValues, Parameter, Pass } from './layer.ts'
import type { BuildOptions } from './options.ts'

/** The affine map per channel that stands for a normalisation with fixed statistics. */
export interface ChannelMap {
  readonly scale: Reals
  readonly shift: Reals
}

/** scale = gamma alpha threshold / sqrt(variance + epsilon), shift = beta - mean scale, rounded to the values' precision. */
export function tdBatchNormMap(
  { alpha, threshold, epsilon }: TdBatchNormDescription,
  values: { readonly gamma: Reals; readonly beta: Reals; readonly mean: Reals; readonly variance: Reals },
): ChannelMap {
  const scale = values.gamma.map((g, c) => (g * alpha * threshold) / Math.sqrt(values.variance[c]! + epsilon))
  return { scale, shift: values.beta.map((b, c) => b - values.mean[c]! * scale[c]!) }
}

interface Forward {
  readonly input: Signal
  readonly mean: Float64Array
  /** 1 / sqrt(variance + epsilon) */
  readonly inverseDeviation: Float64Array
  readonly frozen: boolean
}

export class TdBatchNormLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters: readonly Parameter[]
  readonly statistics: readonly NamedValues[]
  readonly #description: TdBatchNormDescription
  readonly #gamma: Parameter
  readonly #beta: Parameter
  readonly #mean: Reals
  readonly #variance: Reals
  readonly #kept: Kept<Forward>

  constructor(description: TdBatchNormDescription, inputShape: Shape, { precision }: BuildOptions) {
    const { name } = description
    const shape = [inputShape[0]!]
    const make = (what: string, fill: number) => ({
      name: `${name}.${what}`,
      shape,
      value: zeros(precision, shape[0]!).fill(fill),
    })
    const trained = (what: string, fill: number): Parameter => ({
      ...make(what, fill),
      gradient: zeros(precision, shape[0]!),
      decays: false,
    })
    this.name = name
    this.outputShape = inputShape
    this.#description = description
    this.#gamma = trained('gamma', 1)
    this.#beta = trained('beta', 0)
    this.parameters = [this.#gamma, this.#beta]
    this.statistics = [make('mean', 0), make('variance', 1)]
    this.#mean = this.statistics[0]!.value
    this.#variance = this.statistics[1]!.value
    this.#kept = new Kept(name)
  }

  async forward(input: Signal, pass: Pass): Promise<Signal> {
    const { kernels, training, frozenStatistics, allocate } = pass
    const frozen = !training || frozenStatistics
    const { epsilon } = this.#description
    const statistics = frozen ? { mean: this.#mean, variance: this.#variance } : await this.#measure(input, pass)
    const inverseDeviation = Float64Array.from(statistics.variance, (v) => 1 / Math.sqrt(v + epsilon))
    this.#kept.put({ input, mean: Float64Array.from(statistics.mean), inverseDeviation, frozen }, training)
    const values = { gamma: this.#gamma.value, beta: this.#beta.value, ...statistics }
    const output = allocate(input.data.length)
    const map = tdBatchNormMap(this.#description, values)
    await kernels.scaleChannels({ ...channelSizesOf(input), ...map, input: input.data, output })
    return { ...input, data: output }
  }

  /**
   * Statistics of this batch; moves the running ones towards them (with the unbiased variance).
   * @throws InvalidArgumentError for one value per channel, which has no variance
   */
  async #measure(input: Signal, { kernels }: Pass) {
    const { momentum } = this.#description
    const sizes = channelSizesOf(input)
    const count = sizes.images * sizes.positions
    if (count < 2)
      throw new InvalidArgumentError(
        `normalisation "${this.name}": expected at least 2 values per channel in training, got ${count}, which has no variance: give larger batches, or freeze the statistics`,
      )
    const [mean, variance] = [new Float64Array(sizes.channels), new Float64Array(sizes.channels)]
    await kernels.channelMoments({ ...sizes, input: input.data, mean, variance })
    const unbiased = count / (count - 1)
    for (let c = 0; c < mean.length; c++) {
      this.#mean[c] = (1 - momentum) * this.#mean[c]! + momentum * mean[c]!
      this.#variance[c] = (1 - momentum) * this.#variance[c]! + momentum * variance[c]! * unbiased
    }
    return { mean, variance }
  }

  async backward(gradient: Signal, { kernels, allocate }: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const { input, mean, inverseDeviation, frozen } = this.#kept.take()
    const { alpha, threshold } = this.#description
    const sizes = channelSizesOf(input)
    const [plain, weighted] = [new Float64Array(sizes.channels), new Float64Array(sizes.channels)]
    const arrays = { gradient: gradient.data, input: input.data }
    await kernels.channelSums({ ...sizes, ...arrays, plain, weighted })
    // sum over the channel of gradient times normalised input
    const normalised = plain.map((sum, c) => (weighted[c]! - mean[c]! * sum) * inverseDeviation[c]!)
    for (let c = 0; c < plain.length; c++) {
      this.#gamma.gradient[c] = alpha * threshold * normalised[c]!
      this.#beta.gradient[c] = plain[c]!
    }
    if (!wantInput) return undefined
    const count = frozen ? Number.POSITIVE_INFINITY : sizes.images * sizes.positions
    const inputGradient = allocate(input.data.length)
    await kernels.normalizationBackward({
      ...sizes,
      ...arrays,
      factor: inverseDeviation.map((inverse, c) => this.#gamma.value[c]! * alpha * threshold * inverse),
      average: plain.map((sum) => sum / count),
      centre: mean,
      slope: normalised.map((sum, c) => (sum / count) * inverseDeviation[c]!),
      inputGradient,
    })
    return { ...input, data: inputGradient }
  }
}
