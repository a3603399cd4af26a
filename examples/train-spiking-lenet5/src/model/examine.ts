/** How well a network does, and what its neurons do meanwhile. */
import { CancelledError } from '@he-ml/ckks-core'
import { type LabelledData, meanOverTime, type Network, type NeuronActivity } from '@he-ml/snn-training'
import { answersOf, inputOf } from './batches.ts'
import { wilsonInterval } from './interval.ts'
import { neuronLayers } from './neuron-layers.ts'

/** A layer of neurons over all samples and time steps. */
export interface LayerActivity {
  readonly name: string
  readonly neurons: number
  /** Spikes per neuron and time step. */
  readonly firing: number
  /** Lowest and highest membrane potential before the reset. */
  readonly charged: readonly [low: number, high: number]
  /** Only for layers with a grid. */
  readonly grid?: GridUse
}

/** What charged membranes do with their grid. */
export interface GridUse {
  readonly step: number
  readonly count: number
  /** Share of the membranes that lie on its points: 1, or something is wrong. */
  readonly onGrid: number
  /** Share that stands on its lowest or highest point, clipped or by right. */
  readonly atEnds: number
  /** Share that was beyond the grid before it was rounded: under encryption these wrap round. */
  readonly clipped: number
}

export interface Examination {
  readonly correct: number
  readonly count: number
  readonly accuracy: number
  /** 95 % confidence. */
  readonly interval: readonly [low: number, high: number]
  readonly layers: readonly LayerActivity[]
  /** Of every sample, in order. */
  readonly predictions: readonly Prediction[]
}

/** What a network says of one sample. */
export interface Prediction {
  readonly index: number
  readonly label: number
  /** The class with the highest score, the first of equal ones. */
  readonly answer: number
  /** Of every class: the mean over time of the network's output. */
  readonly scores: readonly number[]
}

export interface ExamineOptions {
  readonly batchSize?: number
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal | undefined
}

/** Single precision: a point k * step is off by its rounding, far less than this part of a step. */
const ON_GRID = 1e-3

/**
 * Runs all samples in inference.
 *
 * @throws CancelledError when the signal fired
 */
export async function examine(
  network: Network,
  data: LabelledData,
  options: ExamineOptions = {},
): Promise<Examination> {
  const { batchSize = 100, onProgress, signal } = options
  const watchers = new Map(neuronLayers(network).map(({ name, grid }) => [name, new Watcher(name, grid)]))
  const predictions: Prediction[] = []
  for (let start = 0; start < data.count; start += batchSize) {
    if (signal?.aborted) throw new CancelledError(`evaluation: cancelled after ${start} of ${data.count}`)
    const count = Math.min(batchSize, data.count - start)
    const observe = (activity: NeuronActivity) => watchers.get(activity.layer)!.see(activity, count)
    const output = await network.forward(inputOf(data, start, count), { observe })
    const scores = meanOverTime(output)
    const classes = scores.length / count
    for (const [n, answer] of answersOf(scores, count).entries()) {
      const index = start + n
      const own = Array.from(scores.subarray(n * classes, (n + 1) * classes))
      predictions.push({ index, label: data.label(index), answer, scores: own })
    }
    onProgress?.(start + count, data.count)
  }
  const correct = predictions.filter(({ label, answer }) => answer === label).length
  return {
    correct,
    count: data.count,
    accuracy: correct / data.count,
    interval: wilsonInterval(correct, data.count),
    layers: [...watchers.values()].map((watcher) => watcher.result()),
    predictions,
  }
}

/** Sums over what one layer does. */
class Watcher {
  readonly #name: string
  readonly #grid: { readonly step: number; readonly count: number } | undefined
  #neurons = 0
  #values = 0
  #spikes = 0
  #low = Number.POSITIVE_INFINITY
  #high = Number.NEGATIVE_INFINITY
  #onGrid = 0
  #atEnds = 0
  #clipped = 0

  constructor(name: string, grid: { readonly step: number; readonly count: number } | undefined) {
    this.#name = name
    this.#grid = grid
  }

  see(activity: NeuronActivity, batch: number): void {
    const { spikes, charged, timeSteps } = activity
    this.#neurons = spikes.length / timeSteps / batch
    this.#values += spikes.length
    for (let i = 0; i < spikes.length; i++) {
      const v = charged[i]!
      if (spikes[i] !== 0) this.#spikes++
      if (v < this.#low) this.#low = v
      if (v > this.#high) this.#high = v
    }
    if (!this.#grid) return
    this.#compare(charged, this.#grid)
    this.#clipped += activity.countClipped()
  }

  #compare(charged: NeuronActivity['charged'], { step, count }: { readonly step: number; readonly count: number }) {
    for (let i = 0; i < charged.length; i++) {
      const position = charged[i]! / step
      const point = Math.round(position)
      if (Math.abs(position - point) < ON_GRID && point >= -count / 2 && point < count / 2) this.#onGrid++
      if (point <= -count / 2 || point >= count / 2 - 1) this.#atEnds++
    }
  }

  result(): LayerActivity {
    return {
      name: this.#name,
      neurons: this.#neurons,
      firing: this.#spikes / this.#values,
      charged: [this.#low, this.#high],
      ...(this.#grid && {
        grid: {
          ...this.#grid,
          onGrid: this.#onGrid / this.#values,
          atEnds: this.#atEnds / this.#values,
          clipped: this.#clipped / this.#values,
        },
      }),
    }
  }
}
