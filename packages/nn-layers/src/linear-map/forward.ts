/**
 * The clear result of a linear map. Calibration runs it for hundreds of images and error estimates for every layer, so a tap is
 * a loop over rows with its weight in hand: 41 million products (ResNet-20 on one image) take about 0.1 s, and took 1 s with a
 * call and four comparisons each. Every element adds its taps in the same order as ever, so results are the same to the bit.
 */
import { createTensor, type Tensor } from '@he-ml/model'
import { groupSizes, type LinearMap, sourceOf, type Window } from './linear-map.ts'

/** The exact clear result in float64. */
export function forwardLinear(map: LinearMap, x: Tensor): Tensor {
  const [channels, height, width] = map.output
  const [, rows, columns] = map.input
  const { outputs, inputs } = groupSizes(map)
  const result = new Float64Array(channels * height * width)
  const taps = tapsOf(map)
  for (let o = 0; o < channels; o++) {
    const first = Math.floor(o / outputs) * inputs
    const plane = result.subarray(o * height * width, (o + 1) * height * width)
    if (map.bias) plane.fill(map.bias[o]!)
    for (let c = 0; c < inputs; c++) {
      const source = x.data.subarray((first + c) * rows * columns, (first + c + 1) * rows * columns)
      for (const tap of taps) {
        if (map.placed) addPlacedTap(map, { plane, source, o, c, tap })
        else addTap(plane, source, map.weight(o, c, tap.ky, tap.kx, 0, 0), tap)
      }
    }
  }
  return createTensor(map.outputShape, result)
}

/** A tap, and the outputs in [top, bottom) x [left, right) that read an input and no padding through it. */
interface Tap {
  readonly ky: number
  readonly kx: number
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
  /** Where the plane's first such output lies, how far rows are apart; and the same for what it reads. */
  readonly to: { readonly start: number; readonly row: number }
  readonly from: { readonly start: number; readonly row: number; readonly column: number }
}

function tapsOf({ input, output, window }: LinearMap): Tap[] {
  const [kh, kw] = window.kernel
  return Array.from({ length: kh * kw }, (_, k) => {
    const [ky, kx] = [Math.floor(k / kw), k % kw]
    const [top, bottom] = readers(ky, 0, window, [input[1], output[1]])
    const [left, right] = readers(kx, 1, window, [input[2], output[2]])
    const start = sourceOf(top, ky, 0, window) * input[2] + sourceOf(left, kx, 1, window)
    const [down, across] = window.stride
    const from = { start, row: down * input[2], column: across }
    return { ky, kx, top, bottom, left, right, to: { start: top * output[2] + left, row: output[2] }, from }
  })
}

/** The outputs of one axis whose source is inside the image: they are neighbours. */
function readers(
  tap: number,
  axis: 0 | 1,
  window: Window,
  [size, outputs]: readonly [number, number],
): [first: number, end: number] {
  let first = 0
  while (first < outputs && sourceOf(first, tap, axis, window) < 0) first++
  let end = first
  while (end < outputs && sourceOf(end, tap, axis, window) < size) end++
  return [first, end]
}

function addTap(plane: Float64Array, source: Float64Array, weight: number, tap: Tap): void {
  const { to, from } = tap
  const [height, width, step] = [tap.bottom - tap.top, tap.right - tap.left, from.column]
  for (let y = 0; y < height; y++) {
    let read = from.start + y * from.row
    const start = to.start + y * to.row
    const end = start + width
    for (let write = start; write < end; write++) {
      plane[write] = plane[write]! + weight * source[read]!
      read += step
    }
  }
}

interface PlacedTap {
  readonly plane: Float64Array
  readonly source: Float64Array
  readonly o: number
  readonly c: number
  readonly tap: Tap
}

function addPlacedTap(map: LinearMap, { plane, source, o, c, tap }: PlacedTap): void {
  const { to, from, ky, kx, top, left } = tap
  for (let y = top; y < tap.bottom; y++)
    for (let x = left; x < tap.right; x++)
      plane[to.start + (y - top) * to.row + x - left]! +=
        map.weight(o, c, ky, kx, y, x) * source[from.start + (y - top) * from.row + (x - left) * from.column]!
}
