/**
 * Every linear layer seen as one thing: a grouped convolution over [channels, height, width] with a weight per (output
 * channel, input channel, tap). A fully connected layer is a 1 x 1 convolution over 1 x 1 images, batch normalisation and
 * average pooling are depthwise. Lowering for every packing knows only this.
 */
import type { Shape } from '@he-ml/model'

/** Rows and columns. */
export type Pair = readonly [number, number]
/** Top, left, bottom, right. */
export type Padding = readonly [number, number, number, number]

/** The sliding window: which inputs an output reads. */
export interface Window {
  /** Rows and columns of the window. */
  readonly kernel: Pair
  /** Distance between windows: rows, columns. */
  readonly stride: Pair
  /** Zeros around the image. */
  readonly padding: Padding
  /** Distance between the inputs of one window: rows, columns. */
  readonly dilation: Pair
}

export interface LinearMap {
  readonly name: string
  /** [channels, height, width]. */
  readonly input: readonly [number, number, number]
  readonly output: readonly [number, number, number]
  /** The layer's own output shape, of the same size. */
  readonly outputShape: Shape
  readonly window: Window
  /** Channels are linked within groups only; divides both numbers of channels. */
  readonly groups: number
  /**
   * Weight of tap (ky, kx) from channel c (within the group) to output channel o, for the output in row y and column x; the
   * position matters only where {@link LinearMap.placed} says so.
   */
  weight(o: number, c: number, ky: number, kx: number, y: number, x: number): number
  /** Whether weights depend on the output's position: where padding is not counted. Default false. */
  readonly placed?: boolean
  /** Constant added to output channel o; absent when there is none. */
  readonly bias?: Float64Array
}

/** A 1 x 1 window that moves by one. */
export const POINT_WINDOW: Window = { kernel: [1, 1], stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1] }

/** The input row (or column) that an output and a tap read; outside [0, size) it is padding. */
export const sourceOf = (out: number, tap: number, axis: 0 | 1, window: Window): number =>
  out * window.stride[axis] + tap * window.dilation[axis] - window.padding[axis]

/** Output channels per group, and input channels per group. */
export const groupSizes = (map: LinearMap): { readonly outputs: number; readonly inputs: number } => ({
  outputs: map.output[0] / map.groups,
  inputs: map.input[0] / map.groups,
})

/** A tap of one axis, and the outputs, first to last, that it reads inside the image. */
export interface TapRange {
  readonly tap: number
  readonly first: number
  readonly last: number
}

/** Of the taps (of one axis) that at least one output reads from inside the image. */
export function usefulRanges(map: LinearMap, axis: 0 | 1): TapRange[] {
  const size = map.input[axis + 1]!
  const outs = Array.from({ length: map.output[axis + 1]! }, (_, out) => out)
  const ranges: TapRange[] = []
  for (let tap = 0; tap < map.window.kernel[axis]; tap++) {
    const inside = outs.filter((out) => {
      const source = sourceOf(out, tap, axis, map.window)
      return source >= 0 && source < size
    })
    if (inside.length > 0) ranges.push({ tap, first: inside[0]!, last: inside[inside.length - 1]! })
  }
  return ranges
}

/** Taps (of one axis) that at least one output reads from inside the image. */
export const usefulTaps = (map: LinearMap, axis: 0 | 1): number[] => usefulRanges(map, axis).map(({ tap }) => tap)

/** Root mean square of the weights, over all links; for error estimates. */
export function weightMagnitude(map: LinearMap): number {
  const { inputs } = groupSizes(map)
  const [kh, kw] = map.window.kernel
  let sum = 0
  let count = 0
  for (let o = 0; o < map.output[0]; o++)
    for (let c = 0; c < inputs; c++)
      for (let ky = 0; ky < kh; ky++)
        for (let kx = 0; kx < kw; kx++) {
          sum += map.weight(o, c, ky, kx, 0, 0) ** 2
          count++
        }
  return Math.sqrt(sum / count)
}

/**
 * Factor by which independent errors of the inputs arrive: the root of the mean, over all outputs, of the sum of squared
 * weights. Taps that read padding bring none.
 */
export function linearGain(map: LinearMap): number {
  const [channels, height, width] = map.output
  const { inputs } = groupSizes(map)
  const [rows, columns] = [0, 1].map((axis) => readingOutputs(map, axis as 0 | 1))
  // where weights depend on the place, those of the middle stand for all
  const [y, x] = [height >> 1, width >> 1]
  let sum = 0
  for (let o = 0; o < channels; o++)
    for (let c = 0; c < inputs; c++)
      for (const [ky, inRows] of rows!.entries())
        for (const [kx, inColumns] of columns!.entries())
          sum += inRows * inColumns * map.weight(o, c, ky, kx, y, x) ** 2
  return Math.sqrt(sum / (channels * height * width))
}

/** For each tap of an axis, how many outputs read an input through it. */
function readingOutputs(map: LinearMap, axis: 0 | 1): number[] {
  const size = map.input[axis + 1]!
  return Array.from({ length: map.window.kernel[axis] }, (_, tap) => {
    let count = 0
    for (let out = 0; out < map.output[axis + 1]!; out++) {
      const source = sourceOf(out, tap, axis, map.window)
      if (source >= 0 && source < size) count++
    }
    return count
  })
}
