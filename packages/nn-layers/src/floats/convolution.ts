/**
 * A linear map over images as a convolution of the float kernels, which know neither dilation nor padding that differs from side
 * to side: a dilated window becomes a larger one with zeros in it, and uneven padding is put around a copy of the images.
 */
import type { FloatBatch, FloatKernels } from '@he-ml/float-kernels'
import type { LinearMap, Window } from '../linear-map/linear-map.ts'

/** Values of one image; weights as {@link LinearMap.weight} without a place. */
export async function convolveBatch(
  kernels: FloatKernels<Float32Array>,
  map: LinearMap,
  weights: Float64Array,
  batch: FloatBatch,
): Promise<FloatBatch> {
  const { window, groups, bias } = map
  const [top, left, bottom, right] = window.padding
  const even = top === bottom && left === right
  const input = even ? batch : padded(batch, window)
  const [inChannels, height, width] = input.shape as [number, number, number]
  const [outChannels, rows, columns] = map.output
  const output = new Float32Array(batch.count * outChannels * rows * columns)
  await kernels.conv2d({
    batch: batch.count,
    inChannels,
    height,
    width,
    outChannels,
    kernel: [0, 1].map((axis) => spanOf(window, axis as 0 | 1)) as [number, number],
    stride: window.stride,
    padding: even ? [top, left] : 0,
    groups,
    input: input.data,
    weight: spread(weights, window),
    bias: bias && Float32Array.from(bias),
    output,
  })
  return { shape: map.outputShape, count: batch.count, data: output }
}

const spanOf = ({ kernel, dilation }: Window, axis: 0 | 1): number => dilation[axis] * (kernel[axis] - 1) + 1

/** Windows [rows, columns] with zeros between their elements. */
function spread(weights: Float64Array, window: Window): Float32Array {
  const [down, across] = window.dilation
  if (down === 1 && across === 1) return Float32Array.from(weights)
  const [rows, columns] = window.kernel
  const [height, width] = [spanOf(window, 0), spanOf(window, 1)]
  const windows = weights.length / (rows * columns)
  const result = new Float32Array(windows * height * width)
  for (let w = 0; w < windows; w++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++)
        result[(w * height + y * down) * width + x * across] = weights[(w * rows + y) * columns + x]!
  return result
}

/** The images with their padding as zeros around them. */
function padded({ shape, count, data }: FloatBatch, { padding: [top, left, bottom, right] }: Window): FloatBatch {
  const [channels, height, width] = shape as [number, number, number]
  const [rows, columns] = [top + height + bottom, left + width + right]
  const result = new Float32Array(count * channels * rows * columns)
  for (let plane = 0; plane < count * channels; plane++)
    for (let y = 0; y < height; y++) {
      const from = (plane * height + y) * width
      result.set(data.subarray(from, from + width), (plane * rows + top + y) * columns + left)
    }
  return { shape: [channels, rows, columns], count, data: result }
}
