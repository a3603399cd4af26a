/** Digits for both sides of the comparison, as a folder of MNIST's own files: the real ones, or random pixels in their place. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeIdx } from '@he-ml/datasets'
import { RandomStream } from '@he-ml/snn-training'
import { sharedPath } from '../places.ts'

export interface DigitFolder extends AsyncDisposable {
  readonly path: string
  readonly digits: 'MNIST' | 'random'
}

/** Images of MNIST. */
export const TRAINING_IMAGES = 60_000
const RANDOM_TEST_IMAGES = 1000
const PIXELS = 28 * 28
const CLASSES = 10

/** The folder given, or the shared one, or random digits in a folder that goes when it is disposed of. */
export async function digitFolder(given: string | undefined): Promise<DigitFolder> {
  const found = given ?? sharedPath('data/mnist')
  if (found !== undefined) return { path: found, digits: 'MNIST', [Symbol.asyncDispose]: async () => undefined }
  const path = await mkdtemp(join(tmpdir(), 'he-ml-digits-'))
  await writeRandomDigits(path, 'train', TRAINING_IMAGES)
  await writeRandomDigits(path, 't10k', RANDOM_TEST_IMAGES)
  return { path, digits: 'random', [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Noise under MNIST's file names: what a step of training takes does not depend on what the pixels show. */
export async function writeRandomDigits(folder: string, split: 'train' | 't10k', count: number): Promise<void> {
  const random = new RandomStream(count)
  const draw = (length: number, bound: number) => Uint8Array.from({ length }, () => random.below(bound))
  const images = encodeIdx({ type: 'uint8', shape: [count, 28, 28], data: draw(count * PIXELS, 256) })
  await writeFile(join(folder, `${split}-images-idx3-ubyte`), images)
  const labels = encodeIdx({ type: 'uint8', shape: [count], data: draw(count, CLASSES) })
  await writeFile(join(folder, `${split}-labels-idx1-ubyte`), labels)
}
