import { eventFrames, type LabelledImages, simulateNmnist } from '@he-ml/datasets'
import { FRAME_SIZE, MOST_EVENTS, RECORDING_SHAPE } from './recordings.ts'

/** Length of a recording, in us; what N-MNIST's three saccades take. */
export const RECORDING_US = 300_000
/** Recordings that a thread takes at once, about a fifth of a second's work. */
export const PORTION = 64

/** Places in `control`: the next recording to take, and whether to stop. */
export const NEXT = 0
export const STOP = 1

/** What all threads read and write; plain data, on shared memory. */
export interface RecordingTask {
  readonly images: LabelledImages
  readonly timeSteps: number
  readonly seed: number
  readonly count: number
  /** [count, timeSteps, 2, 34, 34] */
  readonly counts: Uint8Array
  /** At {@link NEXT} and {@link STOP}. */
  readonly control: Int32Array
}

/** Frames of recording `index` as clipped counts, [timeSteps, 2, 34, 34]. */
export function record(images: LabelledImages, index: number, timeSteps: number, seed: number): Uint8Array {
  const [, height, width] = RECORDING_SHAPE
  const events = simulateNmnist(images, index, { seed })
  const content = { timeSteps, startUs: 0, durationUs: RECORDING_US, clip: MOST_EVENTS }
  return Uint8Array.from(eventFrames({ width, height }, events, content).data)
}

/** Makes recordings that nobody has taken yet; yields how many after each portion. */
export function* takeRecordings({ images, timeSteps, seed, count, counts, control }: RecordingTask): Generator<number> {
  const size = timeSteps * FRAME_SIZE
  for (;;) {
    const start = Atomics.add(control, NEXT, PORTION)
    if (start >= count) return
    const end = Math.min(count, start + PORTION)
    for (let index = start; index < end; index++) {
      if (Atomics.load(control, STOP) !== 0) return
      counts.set(record(images, index, timeSteps, seed), index * size)
    }
    yield end - start
  }
}
