/** The samples of an experiment, and a digest of them: runs on other samples are other runs. */
import { createHash } from 'node:crypto'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type Digits, digitData, digitImages, nmnistRecordings, subset } from '@he-ml/example-train-spiking-lenet5/data'
import type { LabelledData } from '@he-ml/snn-training'
import type { Experiment } from '../experiments.ts'

/** Which samples: what a worker needs to know to have the same ones. */
export type DataRequest = Pick<Experiment, 'data' | 'trainSamples' | 'timeSteps'>

export interface DataOptions {
  /** Folder with MNIST in its usual four files. */
  readonly folder: string
  /** Folder that keeps simulated recordings. */
  readonly cache: string
  /** Of recordings that are being made. */
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

/** Seeds of the simulated camera's movements and noise, the same for all runs: the data set is one. */
const CAMERA_SEED = { training: 1, test: 2 }

/**
 * Training samples and all test samples.
 *
 * @throws DatasetFormatError for missing or damaged files
 * @throws InvalidArgumentError when there are fewer training samples than asked for
 * @throws CancelledError when the signal fired
 */
export async function prepareData(request: DataRequest, options: DataOptions): Promise<Digits> {
  const { training, test } = await digitImages(options.folder)
  const { trainSamples, timeSteps } = request
  if (trainSamples > training.count)
    throw new InvalidArgumentError(
      `data: expected at most the ${training.count} training digits there are, got ${trainSamples}: lower --train-samples`,
    )
  if (request.data === 'mnist') return { training: subset(digitData(training), trainSamples), test: digitData(test) }
  const { cache, onProgress, signal } = options
  const record = (part: 'training' | 'test', count: number) =>
    nmnistRecordings(part === 'training' ? training : test, {
      timeSteps,
      seed: CAMERA_SEED[part],
      count,
      cache,
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    })
  return { training: await record('training', trainSamples), test: await record('test', test.count) }
}

/** 64 bits of SHA-256 over all samples as the network sees them, and their labels. */
export function dataDigest({ training, test }: Digits): string {
  const hash = createHash('sha256')
  for (const part of [training, test]) digestPart(hash, part)
  return hash.digest('hex').slice(0, 16)
}

function digestPart(hash: ReturnType<typeof createHash>, data: LabelledData): void {
  const { count, steps, shape } = data
  hash.update(JSON.stringify({ count, steps, shape }))
  const sample = new Float32Array(shape.reduce((size, side) => size * side, steps))
  const label = new Uint8Array(1)
  for (let index = 0; index < count; index++) {
    data.read(index, sample)
    label[0] = data.label(index)
    hash.update(sample).update(label)
  }
}
