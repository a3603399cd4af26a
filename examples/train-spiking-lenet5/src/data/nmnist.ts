/**
 * Digits as an event camera would see them: made by our simulator (simulateNmnist of @he-ml/datasets) from images, after the
 * manner of N-MNIST. They are NOT the recordings of N-MNIST.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { LabelledImages } from '@he-ml/datasets'
import type { LabelledData } from '@he-ml/snn-training'
import { recordInThreads } from './record-in-threads.ts'
import { cachePath, describeRecordings, readRecordings, writeRecordings } from './recording-cache.ts'
import { FRAME_SIZE, recordingData } from './recordings.ts'

export interface NmnistOptions {
  /** The 300 ms of a recording are cut into so many frames, 1 to 300. */
  readonly timeSteps: number
  /** Seed of movements and noise; default 0. */
  readonly seed?: number
  /** Only the first so many images; default all. */
  readonly count?: number
  /** Folder that keeps what was made; without one it is made each time (about 330 per second and core). */
  readonly cache?: string
  readonly onProgress?: (done: number, total: number) => void
  /** Hears that a file in the cache could not be used and why; default: the console's warnings. */
  readonly onNotice?: (text: string) => void
  readonly signal?: AbortSignal
}

/**
 * Recordings [timeSteps, 2, 34, 34], as counts of events min(count, 4) / 4 by pixel, polarity and time.
 *
 * @throws InvalidArgumentError for options out of range
 * @throws CancelledError when the signal fired; nothing is kept then
 */
export async function nmnistRecordings(images: LabelledImages, options: NmnistOptions): Promise<LabelledData> {
  const { timeSteps, seed = 0, count = images.count, cache, onProgress, onNotice = console.warn, signal } = options
  if (!Number.isInteger(timeSteps) || timeSteps < 1 || timeSteps > 300)
    throw new InvalidArgumentError(`recordings: expected 1 to 300 timeSteps, got ${timeSteps}`)
  if (!Number.isInteger(count) || count < 1 || count > images.count)
    throw new InvalidArgumentError(`recordings: expected a count of 1 to ${images.count}, got ${count}`)
  const labels = images.labels.subarray(0, count)
  const make = () => recordInThreads(images, { timeSteps, seed, count, onProgress, signal })
  if (cache === undefined) return recordingData(await make(), labels, timeSteps)

  const description = describeRecordings(images, timeSteps, seed, count)
  const path = cachePath(cache, description)
  const cached = await readRecordings(path, description, count * timeSteps * FRAME_SIZE)
  if ('counts' in cached) return recordingData(cached.counts, labels, timeSteps)
  if (cached.problem !== undefined) onNotice(`${path}: ${cached.problem}; the recordings are made again`)
  const counts = await make()
  await writeRecordings(path, description, counts)
  return recordingData(counts, labels, timeSteps)
}
