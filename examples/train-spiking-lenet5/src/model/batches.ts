/** Samples in groups, as a network takes them. */
import type { LabelledData, Signal } from '@he-ml/snn-training'

/** The `count` samples from `start` on as one input, time outermost. */
export function inputOf(data: LabelledData, start: number, count: number): Signal {
  const size = data.shape.reduce((product, side) => product * side, 1)
  const input = new Float32Array(data.steps * count * size)
  const sample = new Float32Array(data.steps * size)
  for (let n = 0; n < count; n++) {
    data.read(start + n, sample)
    for (let t = 0; t < data.steps; t++) input.set(sample.subarray(t * size, (t + 1) * size), (t * count + n) * size)
  }
  return { data: input, steps: data.steps, batch: count, shape: data.shape }
}

/** The class with the highest score (the first of equal ones) of each of `count` samples. */
export function answersOf(scores: ArrayLike<number>, count: number): number[] {
  const classes = scores.length / count
  return Array.from({ length: count }, (_, n) => {
    let best = 0
    for (let c = 1; c < classes; c++) if (scores[n * classes + c]! > scores[n * classes + best]!) best = c
    return best
  })
}
