/** What the demo classifies: digits drawn here, or real ones with --data. */
import { imageTensor, loadMnist, MNIST_NORMALIZATION } from '@he-ml/datasets'
import { createTensor, type Tensor } from '@he-ml/model'
import { DIGIT_SIZE, drawDigits } from './digits/generate.ts'

/** One input: what the network sees, what a person sees, and what it is. */
export interface DigitInput {
  readonly tensor: Tensor
  /** 28 x 28 in [0, 1]. */
  readonly pixels: Float64Array
  readonly label: number
}

const SHAPE = [1, DIGIT_SIZE, DIGIT_SIZE] as const

/** `count` digits from the MNIST test set in `folder`, or drawn from a seed when it is undefined. */
export async function loadDigits(count: number, folder: string | undefined, seed = 2026): Promise<DigitInput[]> {
  if (folder === undefined)
    return drawDigits(count, seed).map(({ pixels, label }) => ({
      pixels,
      label,
      tensor: createTensor(SHAPE, normalized(pixels)),
    }))
  const digits = await loadMnist(folder, { split: 'test' })
  return Array.from({ length: Math.min(count, digits.count) }, (_, i) => {
    const pixels = imageTensor(digits, i).data
    return { pixels, label: digits.labels[i]!, tensor: createTensor(SHAPE, normalized(pixels)) }
  })
}

/** Tensors of the training set, for calibration. */
export async function* trainingTensors(folder: string, count: number): AsyncGenerator<Tensor> {
  const digits = await loadMnist(folder, { split: 'train' })
  for (let i = 0; i < Math.min(count, digits.count); i++)
    yield createTensor(SHAPE, imageTensor(digits, i, MNIST_NORMALIZATION).data)
}

const normalized = (pixels: Float64Array): Float64Array =>
  pixels.map((v) => (v - MNIST_NORMALIZATION.mean[0]!) / MNIST_NORMALIZATION.std[0]!)
