/** MNIST as a trainer reads it: 28 x 28 pixels between 0 and 1, the same at every time step. */
import { type LabelledImages, loadMnist } from '@he-ml/datasets'
import type { LabelledData } from '@he-ml/snn-training'

/** Digits to train on and digits to judge by. */
export interface Digits {
  readonly training: LabelledData
  readonly test: LabelledData
}

/** The same as images, which the event camera looks at. */
export interface DigitImages {
  readonly training: LabelledImages
  readonly test: LabelledImages
}

/** @throws DatasetFormatError for missing or damaged files */
export async function digitImages(folder: string): Promise<DigitImages> {
  const [training, test] = await Promise.all([loadMnist(folder, { split: 'train' }), loadMnist(folder)])
  return { training, test }
}

/** @throws DatasetFormatError for missing or damaged files */
export async function mnistDigits(folder: string): Promise<Digits> {
  const { training, test } = await digitImages(folder)
  return { training: digitData(training), test: digitData(test) }
}

/** Grey images without a copy of their pixels: they are converted on their way into a batch. */
export function digitData({ count, shape, pixels, labels }: LabelledImages): LabelledData {
  const size = shape[0] * shape[1] * shape[2]
  return {
    count,
    steps: 1,
    shape,
    label: (index) => labels[index]!,
    read(index, out) {
      const from = index * size
      for (let i = 0; i < size; i++) out[i] = pixels[from + i]! / 255
    },
  }
}
