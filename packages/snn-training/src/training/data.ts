/** Labelled samples and mini-batches of them. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type Shape, sizeOf } from '@he-ml/model'
import type { Reals } from '@he-ml/snn-neurons'
import type { Augmentation } from '../augmentation/augmentation.ts'
import { deriveSeed, RandomStream } from '../random/random-stream.ts'
import { type Precision, type Signal, zeros } from '../tensor/signal.ts'

/** Where samples come from: memory, files, a simulator. The same index must always give the same sample. */
export interface LabelledData {
  /** How many samples there are. */
  readonly count: number
  /** Frames per sample: 1 for images, the network's timeSteps for recordings. */
  readonly steps: number
  /** One frame: [channels, height, width] or [features]. */
  readonly shape: Shape
  /** The right answer for a sample: an index of a class, from 0. */
  label(index: number): number
  /** Writes [steps, ...shape] into `out`. */
  read(index: number, out: Reals): void
}

/** A mini-batch. */
export interface Batch {
  readonly input: Signal
  readonly labels: Uint32Array
}

/**
 * Samples that lie in one array.
 *
 * @param samples [labels.length, steps, ...shape]
 * @throws InvalidArgumentError when the sizes do not agree
 */
export function arrayData(samples: Reals, labels: ArrayLike<number>, shape: Shape, steps = 1): LabelledData {
  const size = steps * sizeOf(shape)
  if (samples.length !== labels.length * size)
    throw new InvalidArgumentError(
      `data: expected ${labels.length * size} values for ${labels.length} labels, got ${samples.length}`,
    )
  return {
    count: labels.length,
    steps,
    shape,
    label: (index) => labels[index]!,
    read: (index, out) => out.set(samples.subarray(index * size, (index + 1) * size)),
  }
}

/** How to change samples on their way into a batch; drawn from (seed, epoch, index), whatever the order. */
export interface BatchAugmentation {
  readonly augmentation: Augmentation
  readonly seed: number
  readonly epoch: number
}

/** Collects mini-batches in memory of its own. */
export class BatchCollector {
  readonly #data: LabelledData
  readonly #precision: Precision
  /** All frames of one sample, where they do not lie next to each other in the batch. */
  readonly #sample: Reals
  #input: Reals

  constructor(data: LabelledData, precision: Precision) {
    this.#data = data
    this.#precision = precision
    this.#sample = zeros(precision, data.steps * sizeOf(data.shape))
    this.#input = zeros(precision, 0)
  }

  /** The samples of these indices, time outermost. The input is overwritten by the next batch. */
  collect(indices: ArrayLike<number>, augment?: BatchAugmentation): Batch {
    const { steps, shape } = this.#data
    const size = sizeOf(shape)
    const batch = indices.length
    const length = steps * batch * size
    if (this.#input.length < length) this.#input = zeros(this.#precision, length)
    const input = this.#input.subarray(0, length)
    const labels = new Uint32Array(batch)
    for (let n = 0; n < batch; n++) {
      labels[n] = this.#data.label(indices[n]!)
      const sample = steps === 1 ? input.subarray(n * size, (n + 1) * size) : this.#sample
      this.#read(indices[n]!, sample, augment)
      if (steps > 1)
        for (let t = 0; t < steps; t++) input.set(sample.subarray(t * size, (t + 1) * size), (t * batch + n) * size)
    }
    return { input: { data: input, steps, batch, shape }, labels }
  }

  #read(index: number, sample: Reals, augment: BatchAugmentation | undefined): void {
    this.#data.read(index, sample)
    if (!augment) return
    const random = new RandomStream(deriveSeed(augment.seed, 'augment', augment.epoch, index))
    augment.augmentation(sample, this.#data.shape, random)
  }
}
