/** Labelled samples and mini-batches of them. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Reals } from '@he-ml/snn-neurons'
import type { Augmentation } from '../augmentation/augmentation.ts'
import { deriveSeed, RandomStream } from '../random/random-stream.ts'
import { type Precision, type Shape, type Signal, sizeOf, zeros } from '../tensor/signal.ts'

/** Where samples come from: memory, files, a simulator. The same index must always give the same sample. */
export interface LabelledData {
  readonly count: number
  /** Frames per sample: 1 for images, the network's timeSteps for recordings. */
  readonly steps: number
  /** One frame: [channels, height, width] or [features]. */
  readonly shape: Shape
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

/** The samples of these indices, time outermost. */
export function collectBatch(
  data: LabelledData,
  indices: ArrayLike<number>,
  precision: Precision,
  augment?: BatchAugmentation,
): Batch {
  const size = sizeOf(data.shape)
  const batch = indices.length
  const input = zeros(precision, data.steps * batch * size)
  const sample = zeros(precision, data.steps * size)
  const labels = new Uint32Array(batch)
  for (let n = 0; n < batch; n++) {
    const index = indices[n]!
    data.read(index, sample)
    labels[n] = data.label(index)
    if (augment) {
      const random = new RandomStream(deriveSeed(augment.seed, 'augment', augment.epoch, index))
      augment.augmentation(sample, data.shape, random)
    }
    for (let t = 0; t < data.steps; t++) input.set(sample.subarray(t * size, (t + 1) * size), (t * batch + n) * size)
  }
  return { input: { data: input, steps: data.steps, batch, shape: data.shape }, labels }
}
