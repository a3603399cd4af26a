/** Simulated recordings on all cores. Each is a function of seed, image and index, so threads change nothing but the time. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { CancelledError } from '@he-ml/ckks-core'
import type { LabelledImages } from '@he-ml/datasets'
import { PORTION, type RecordingTask, STOP } from './record.ts'
import { FRAME_SIZE } from './recordings.ts'

export interface RecordOptions {
  readonly timeSteps: number
  readonly seed: number
  readonly count: number
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Clipped counts of the first `count` images' recordings, [count, timeSteps, 2, 34, 34].
 *
 * @throws CancelledError when the signal fired
 */
export async function recordInThreads(images: LabelledImages, options: RecordOptions): Promise<Uint8Array> {
  const { timeSteps, seed, count, onProgress, signal } = options
  let done = 0
  const checkCancelled = () => {
    if (signal?.aborted)
      throw new CancelledError(`recordings: cancelled after ${done} of ${count}`, { cause: signal.reason })
  }
  checkCancelled()
  const counts = new Uint8Array(new SharedArrayBuffer(count * timeSteps * FRAME_SIZE))
  const control = new Int32Array(new SharedArrayBuffer(8))
  const task: RecordingTask = { images: shareImages(images, count), timeSteps, seed, count, counts, control }
  const stop = () => Atomics.store(control, STOP, 1)
  signal?.addEventListener('abort', stop)
  const onMade = (made: number) => {
    done += made
    onProgress?.(done, count)
  }
  try {
    const threads = Math.min(availableParallelism(), Math.ceil(count / PORTION))
    await Promise.all(Array.from({ length: threads }, () => runThread(task, onMade, stop)))
  } finally {
    signal?.removeEventListener('abort', stop)
  }
  checkCancelled()
  return counts
}

/** One thread, until it has nothing left to do; a failure stops the others too. */
function runThread(task: RecordingTask, onMade: (made: number) => void, stop: () => void): Promise<void> {
  const program = new URL('./record.worker.ts', import.meta.url).href
  const worker = new Worker(new URL('./start-worker.mjs', import.meta.url), {
    execArgv: ['--conditions=@he-ml/source'],
    workerData: { program, ...task },
  })
  return new Promise((resolve, reject) => {
    worker.on('message', onMade)
    worker.on('error', (error) => {
      stop()
      reject(error)
    })
    worker.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`recordings: a thread ended with exit code ${code}`)),
    )
  })
}

/** The same images on memory that threads share, instead of a copy for each. */
function shareImages(images: LabelledImages, count: number): LabelledImages {
  const size = images.shape[0] * images.shape[1] * images.shape[2]
  const share = (bytes: Uint8Array): Uint8Array => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    return shared
  }
  const { shape, classes, pixels, labels } = images
  return {
    shape,
    classes,
    count,
    pixels: share(pixels.subarray(0, count * size)),
    labels: share(labels.subarray(0, count)),
  }
}
