/**
 * Recordings of events as a trainer reads them: frames of counts, one byte each (25,000 recordings of 5 frames are 290 MB, and
 * four times that as floats), scaled to between 0 and 1 on their way into a batch.
 */
import type { LabelledData } from '@he-ml/snn-training'

/**
 * Counts are cut here and divided by it: min(count, 4) / 4. Of the pixels of our simulated digits that see any event in 60 ms,
 * 95 % see at most four, and a value of 1 is what a white pixel of a grey digit has.
 */
export const MOST_EVENTS = 4

/** Frames of events: OFF in channel 0, ON in channel 1, on the sensor's 34 x 34 pixels. */
export const RECORDING_SHAPE = [2, 34, 34] as const

/** Bytes of one frame. */
export const FRAME_SIZE = RECORDING_SHAPE[0] * RECORDING_SHAPE[1] * RECORDING_SHAPE[2]

/** @param counts [labels.length, timeSteps, 2, 34, 34], none above {@link MOST_EVENTS} */
export function recordingData(counts: Uint8Array, labels: Uint8Array, timeSteps: number): LabelledData {
  const size = timeSteps * FRAME_SIZE
  return {
    count: labels.length,
    steps: timeSteps,
    shape: RECORDING_SHAPE,
    label: (index) => labels[index]!,
    read(index, out) {
      const from = index * size
      for (let i = 0; i < size; i++) out[i] = counts[from + i]! / MOST_EVENTS
    },
  }
}
