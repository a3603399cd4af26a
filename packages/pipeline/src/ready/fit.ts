/** Activation ranges from clear data: the server never decrypts to choose a scale. */
import { InvalidArgumentError, Pacer } from '@he-ml/ckks-core'
import { type InputStatistics, isCalibrated, type Model, sizeOf, type Tensor } from '@he-ml/model'
import { SizeCollector, StatisticsCollector } from './statistics.ts'

/** What `fit` learned: statistics at the input of every activation, by node name. */
export interface Calibration {
  readonly model: string
  readonly samples: number
  readonly statistics: Readonly<Record<string, InputStatistics>>
  /** Largest absolute value of the network's result; `compile` makes the base modulus large enough for it. */
  readonly outputMagnitude?: number
  /** Least and largest value of each element of the network's result: what its predicted precision is relative to. */
  readonly outputRanges?: OutputRanges
  /** Smallest and largest element of the inputs: what a client may encrypt, with the plan's margin. */
  readonly inputRange?: InputRange
  /** Sizes of the input and of every layer's result, by name: ranges of bootstraps, and what errors are relative to. */
  readonly values?: Readonly<Record<string, ValueSize>>
}

export interface OutputRanges {
  readonly min: readonly number[]
  readonly max: readonly number[]
}

/** Elements lie in [min, max]. */
export interface InputRange {
  readonly min: number
  readonly max: number
}

/** How large the elements of a tensor get. */
export interface ValueSize {
  /** Largest absolute value. */
  readonly largest: number
  /** Root mean square. */
  readonly rms: number
  /** Sixth root of the mean sixth power: a bootstrap's sine bends values by their cube. */
  readonly sixth: number
  /** Where the values of each channel (the first dimension) lie: errors follow the slopes of activations there. */
  readonly channels?: ChannelStatistics
}

/** One number per channel each. */
export interface ChannelStatistics {
  readonly mean: readonly number[]
  readonly std: readonly number[]
  readonly min: readonly number[]
  readonly max: readonly number[]
}

export interface FitOptions {
  /** Called after each sample. */
  readonly onProgress?: (done: number) => void
  readonly signal?: AbortSignal
}

/**
 * Runs clear inputs through the model and records what each activation sees.
 *
 * @param inputs at least one tensor of the model's input shape, normalised as at inference
 * @throws InvalidArgumentError without inputs, for wrong shapes or non-finite values; CancelledError through the signal
 */
export async function fit(model: Model, inputs: Iterable<Tensor>, options: FitOptions = {}): Promise<Calibration> {
  const collectors = new Map<string, StatisticsCollector>()
  for (const { name, layer } of model.nodes) if (isCalibrated(layer)) collectors.set(name, new StatisticsCollector())
  const pacer = new Pacer('fit', options.signal ? { signal: options.signal } : {})
  let samples = 0
  const sizes = new Map<string, SizeCollector>()
  const outputs = sizeOf(model.shapes.get(model.output)!)
  const min = new Array<number>(outputs).fill(Number.POSITIVE_INFINITY)
  const max = new Array<number>(outputs).fill(Number.NEGATIVE_INFINITY)
  const measure = (name: string, { shape, data }: Tensor): void => {
    const size = sizes.get(name) ?? new SizeCollector(shape)
    sizes.set(name, size)
    size.add(data)
  }
  const inputRange = { min: Infinity, max: -Infinity }
  for (const input of inputs) {
    await pacer.step()
    measure(model.input.name, input)
    for (const x of input.data) {
      inputRange.min = Math.min(inputRange.min, x)
      inputRange.max = Math.max(inputRange.max, x)
    }
    const result = model.evaluate(input, ({ name, layer }, given) => {
      collectors.get(name)?.add(given[0]!.data, name)
      const output = layer.forward(given)
      measure(name, output)
      return [output]
    })
    for (const [i, v] of result.data.entries()) {
      min[i] = Math.min(min[i]!, v)
      max[i] = Math.max(max[i]!, v)
    }
    samples++
    options.onProgress?.(samples)
  }
  if (samples === 0) throw new InvalidArgumentError('fit: at least one calibration input is needed')
  const statistics = Object.fromEntries([...collectors].map(([name, collector]) => [name, collector.result()]))
  const values = Object.fromEntries([...sizes].map(([name, size]) => [name, size.result()]))
  const outputMagnitude = values[model.output]!.largest
  const outputRanges = { min, max }
  return { model: model.name, samples, statistics, outputMagnitude, outputRanges, inputRange, values }
}
