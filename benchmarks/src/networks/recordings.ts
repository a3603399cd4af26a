/** Simulated recordings of an event camera that looks at MNIST's digits, as the example's networks for them were trained on. */
import { join } from 'node:path'
import { digitImages, nmnistRecordings } from '@he-ml/example-train-spiking-lenet5/data'
import { createTensor } from '@he-ml/model'
import { repositoryRoot } from '../places.ts'
import { progress } from '../progress.ts'
import type { Digit } from './digits.ts'

/** The first `count` digits of a split, each as [timeSteps, 2, 34, 34]. */
export async function loadRecordings(
  folder: string,
  split: 'training' | 'test',
  count: number,
  timeSteps: number,
): Promise<Digit[]> {
  const images = (await digitImages(folder))[split]
  const data = await nmnistRecordings(images, {
    timeSteps,
    count: Math.min(count, images.count),
    cache: join(repositoryRoot, 'demo-output/training/recordings'),
    onProgress: (done, total) => {
      if (done === total) progress(`${split}: ${total} recordings`)
    },
  })
  const shape = [data.steps, ...data.shape]
  return Array.from({ length: data.count }, (_, i) => {
    const values = new Float64Array(shape.reduce((a, b) => a * b))
    data.read(i, values)
    return { tensor: createTensor(shape, values), label: data.label(i) }
  })
}
