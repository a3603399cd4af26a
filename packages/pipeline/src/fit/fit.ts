/** Activation ranges from clear data: the server never decrypts to choose a scale. */
import { CancelledError, InvalidArgumentError } from '@he-ml/ckks-core'
import { type InputStatistics, isCalibrated, type Model, type Tensor } from '@he-ml/packing'
import { breathe } from '../run/breathe.ts'
import { StatisticsCollector } from './statistics.ts'

/** What `fit` learned: statistics at the input of every activation, by layer name. */
export interface Calibration {
  readonly model: string
  readonly samples: number
  readonly statistics: Readonly<Record<string, InputStatistics>>
  /** Largest absolute value of the network's result; `compile` makes the base modulus large enough for it. */
  readonly outputMagnitude?: number
  /** Largest absolute value of each layer's result, by layer name: the range of a bootstrap. */
  readonly magnitudes?: Readonly<Record<string, number>>
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
  for (const { layer } of model.nodes) if (isCalibrated(layer)) collectors.set(layer.name, new StatisticsCollector())
  const pause = breathe()
  let samples = 0
  const magnitudes = new Map<string, number>()
  for (const input of inputs) {
    if (options.signal?.aborted) throw new CancelledError(`fit: cancelled after ${samples} samples`)
    model.evaluate(input, (layer, given) => {
      collectors.get(layer.name)?.add(given[0]!.data, layer.name)
      const output = layer.forward(given)
      magnitudes.set(layer.name, largest(output.data, magnitudes.get(layer.name)))
      return output
    })
    samples++
    options.onProgress?.(samples)
    await pause()
  }
  if (samples === 0) throw new InvalidArgumentError('fit: at least one calibration input is needed')
  const statistics = Object.fromEntries([...collectors].map(([name, collector]) => [name, collector.result()]))
  const outputMagnitude = magnitudes.get(model.output) ?? 0
  return { model: model.name, samples, statistics, outputMagnitude, magnitudes: Object.fromEntries(magnitudes) }
}

function largest(values: Float64Array, before = 0): number {
  let most = before
  for (const x of values) most = Math.max(most, Math.abs(x))
  return most
}
