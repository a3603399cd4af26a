import { InvalidArgumentError } from '@he-ml/ckks-core'
import { isCalibrated, type Model, sizeOf } from '@he-ml/model'
import type { Calibration } from './calibration.ts'
import { type Numbers, SizeCollector, StatisticsCollector } from './statistics.ts'

/** What is seen of a model's values, one input after the other; sums are in double precision whatever the values are. */
export class Observations {
  readonly #model: string
  readonly #activations = new Map<string, StatisticsCollector>()
  readonly #sizes = new Map<string, SizeCollector>()
  readonly #min: Float64Array
  readonly #max: Float64Array
  readonly #inputRange = { min: Infinity, max: -Infinity }
  #samples = 0

  constructor(model: Model) {
    this.#model = model.name
    for (const { name, layer, inputs } of model.nodes) {
      if (!isCalibrated(layer)) continue
      const channels = layer.observesChannels ? model.shapes.get(inputs[0]!)![0] : 0
      this.#activations.set(name, new StatisticsCollector(channels, layer.inputGrid))
    }
    for (const [name, shape] of model.shapes) this.#sizes.set(name, new SizeCollector(shape))
    const outputs = sizeOf(model.shapes.get(model.output)!)
    this.#min = new Float64Array(outputs).fill(Number.POSITIVE_INFINITY)
    this.#max = new Float64Array(outputs).fill(Number.NEGATIVE_INFINITY)
  }

  /** Inputs seen to the end. */
  get samples(): number {
    return this.#samples
  }

  /** An input's elements as they were given: what a client may encrypt. */
  input(values: Float64Array): void {
    const range = this.#inputRange
    for (const x of values) {
      range.min = Math.min(range.min, x)
      range.max = Math.max(range.max, x)
    }
  }

  /** The model's input or a result of a layer. */
  value(name: string, values: Numbers): void {
    this.#sizes.get(name)!.add(values)
  }

  /** What decides an activation's polynomial. @throws InvalidArgumentError for NaN or infinities */
  observed(node: string, values: Numbers): void {
    this.#activations.get(node)!.add(values, node)
  }

  /** What is meant to lie on the grid of an activation that has one. */
  onGrid(node: string, values: Numbers): void {
    this.#activations.get(node)!.onGrid(values)
  }

  /** The network's result for an input, which is then done. */
  result(values: Numbers): void {
    for (let i = 0; i < values.length; i++) {
      this.#min[i] = Math.min(this.#min[i]!, values[i]!)
      this.#max[i] = Math.max(this.#max[i]!, values[i]!)
    }
    this.#samples++
  }

  /** @throws InvalidArgumentError when nothing was seen */
  calibration(): Omit<Calibration, 'modelDigest'> {
    if (this.#samples === 0) throw new InvalidArgumentError('fit: at least one calibration input is needed')
    const [min, max] = [[...this.#min], [...this.#max]]
    return {
      model: this.#model,
      samples: this.#samples,
      statistics: Object.fromEntries([...this.#activations].map(([name, collector]) => [name, collector.result()])),
      // of the result over all time steps, which may be larger than the output of any
      outputMagnitude: Math.max(...min.map((v, i) => Math.max(-v, max[i]!))),
      outputRanges: { min, max },
      inputRange: { ...this.#inputRange },
      values: Object.fromEntries([...this.#sizes].map(([name, size]) => [name, size.result()])),
    }
  }
}
