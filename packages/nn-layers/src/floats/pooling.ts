/** Pooling of batches, for any window: sums in double precision in the order of the window, each rounded once. */
import type { FloatBatch } from '@he-ml/float-kernels'
import { type LinearMap, sourceOf } from '../linear-map/linear-map.ts'

/** @param map depthwise, with the same weights in every channel */
export function poolBatch(map: LinearMap, { count, data }: FloatBatch): FloatBatch {
  const [channels, height, width] = map.output
  const size = map.input[1] * map.input[2]
  const { starts, sources, weights } = readsOf(map)
  const output = new Float32Array(count * channels * height * width)
  let written = 0
  for (let plane = 0; plane < count * channels; plane++) {
    const offset = plane * size
    for (let place = 0; place + 1 < starts.length; place++) {
      let sum = 0
      for (let k = starts[place]!; k < starts[place + 1]!; k++) sum += weights[k]! * data[offset + sources[k]!]!
      output[written++] = sum
    }
  }
  return { shape: map.outputShape, count, data: output }
}

/** What each output of a plane reads: elements starts[i] to starts[i + 1] of the other two. */
function readsOf(map: LinearMap) {
  const [, height, width] = map.output
  const [, rows, columns] = map.input
  const [kh, kw] = map.window.kernel
  const starts = [0]
  const sources: number[] = []
  const weights: number[] = []
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      for (let ky = 0; ky < kh; ky++)
        for (let kx = 0; kx < kw; kx++) {
          const [row, column] = [sourceOf(y, ky, 0, map.window), sourceOf(x, kx, 1, map.window)]
          if (row < 0 || row >= rows || column < 0 || column >= columns) continue
          sources.push(row * columns + column)
          weights.push(map.weight(0, 0, ky, kx, y, x))
        }
      starts.push(sources.length)
    }
  return { starts: Int32Array.from(starts), sources: Int32Array.from(sources), weights: Float64Array.from(weights) }
}
