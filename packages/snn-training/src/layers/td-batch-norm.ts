/**
 * Threshold-dependent batch normalisation (Zheng et al., arXiv 2011.05280): every channel over time, batch and positions to
 * mean 0 and deviation alpha * threshold, then gamma and beta as usual. With running statistics it is an affine map; training
 * with frozen statistics and inference compute that very map, so they agree bit for bit.
 */
import type { Reals } from '@he-ml/snn-neurons'
import type { TdBatchNormDescription } from '../network/description.ts'
import { type Shape, type Signal, zeros, zerosLike } from '../tensor/signal.ts'
import { channelMoments, channelSums, positionsOf, scaleChannels } from './channels.ts'
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
  readonly mean: Reals
  /** 1 / sqrt(variance + epsilon) */
  readonly inverseDeviation: Reals
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

  async forward(input: Signal, { training, frozenStatistics }: Pass): Promise<Signal> {
    const frozen = !training || frozenStatistics
    const { epsilon } = this.#description
    const statistics = frozen ? { mean: this.#mean, variance: this.#variance } : this.#measure(input)
    const inverseDeviation = Float64Array.from(statistics.variance, (v) => 1 / Math.sqrt(v + epsilon))
    this.#kept.put({ input, mean: statistics.mean, inverseDeviation, frozen }, training)
    const { scale, shift } = tdBatchNormMap(this.#description, {
      gamma: this.#gamma.value,
      beta: this.#beta.value,
      ...statistics,
    })
    return scaleChannels(input, scale, shift)
  }

  /** Statistics of this batch; moves the running ones towards them (with the unbiased variance). */
  #measure(input: Signal) {
    const { momentum } = this.#description
    const { mean, variance, count } = channelMoments(input)
    const unbiased = count / Math.max(1, count - 1)
    for (let c = 0; c < mean.length; c++) {
      this.#mean[c] = (1 - momentum) * this.#mean[c]! + momentum * mean[c]!
      this.#variance[c] = (1 - momentum) * this.#variance[c]! + momentum * variance[c]! * unbiased
    }
    return { mean, variance }
  }

  async backward(gradient: Signal, _pass: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const { input, mean, inverseDeviation, frozen } = this.#kept.take()
    const { alpha, threshold } = this.#description
    const { plain, weighted } = channelSums(gradient, input)
    // sum over the channel of gradient times normalised input
    const normalised = plain.map((sum, c) => (weighted[c]! - mean[c]! * sum) * inverseDeviation[c]!)
    for (let c = 0; c < plain.length; c++) {
      this.#gamma.gradient[c] = alpha * threshold * normalised[c]!
      this.#beta.gradient[c] = plain[c]!
    }
    if (!wantInput) return undefined
    const count = frozen ? Number.POSITIVE_INFINITY : input.data.length / plain.length
    const data = zerosLike(input.data)
    const positions = positionsOf(input)
    for (let start = 0, c = 0; start < data.length; start += positions, c = (c + 1) % plain.length) {
      const factor = this.#gamma.value[c]! * alpha * threshold * inverseDeviation[c]!
      const [average, slope] = [plain[c]! / count, (normalised[c]! / count) * inverseDeviation[c]!]
      const centre = mean[c]!
      for (let i = start; i < start + positions; i++)
        data[i] = factor * (gradient.data[i]! - average - (input.data[i]! - centre) * slope)
    }
    return { ...input, data }
  }
}
