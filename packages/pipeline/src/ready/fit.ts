/** Activation ranges from clear data: the server never decrypts to choose a scale. */
import { InvalidArgumentError, Pacer } from '@he-ml/ckks-core'
import { forwardAll, isCalibrated, type Model, observedBy, sizeOf, type Tensor } from '@he-ml/model'
import type { Calibration } from './calibration.ts'
import { SizeCollector, StatisticsCollector } from './statistics.ts'

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
    const result = model.evaluate(input, ({ name, layer, values: results }, given) => {
      if (isCalibrated(layer)) collectors.get(name)!.add(observedBy(layer, given).data, name)
      const outputs = forwardAll(layer, given)
      for (const [i, output] of outputs.entries()) measure(results[i]!, output)
      return outputs
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
  // of the result over all time steps, which may be larger than the output of any
  const outputMagnitude = Math.max(...min.map((v, i) => Math.max(-v, max[i]!)))
  const outputRanges = { min, max }
  return { model: model.name, samples, statistics, outputMagnitude, outputRanges, inputRange, values }
}
