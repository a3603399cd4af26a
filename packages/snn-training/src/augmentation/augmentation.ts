/**
 * Random changes of images that leave their class as it is. All frames and channels of a sample are changed alike: a sample
 * is any number of planes of the shape's height and width. Drawn from the stream that the trainer gives.
 */

import type { Shape } from '@he-ml/model'
import type { Reals } from '@he-ml/snn-neurons'
import type { RandomStream } from '../random/random-stream.ts'

/** Changes a sample [frames, channels, height, width] in place. */
export type Augmentation = (sample: Reals, shape: Shape, random: RandomStream) => void

/** One after the other. */
export const compose =
  (...augmentations: readonly Augmentation[]): Augmentation =>
  (sample, shape, random) => {
    for (const augmentation of augmentations) augmentation(sample, shape, random)
  }

/**
 * Shifts by a whole number of pixels, up to `pixels` each way: for digits, and (with `pixels` of padding around) the usual
 * random crop of CIFAR images.
 *
 * @param fill value of pixels that come from outside, default 0: the normalised background of the data
 */
export const randomShift =
  (pixels: number, fill = 0): Augmentation =>
  (sample, shape, random) => {
    const dy = random.below(2 * pixels + 1) - pixels
    const dx = random.below(2 * pixels + 1) - pixels
    shiftRows(sample, shape, [dy, dx], fill)
  }

/** Every pixel becomes the one at (y + dy, x + dx), in place: rows are overwritten after they have been read. */
function shiftRows(
  sample: Reals,
  [, height, width]: Shape,
  [dy, dx]: readonly [dy: number, dx: number],
  fill: number,
): void {
  const [rows, columns] = [height!, width!]
  const first = Math.min(columns, Math.max(0, -dx))
  const last = Math.max(first, Math.min(columns, columns - dx))
  for (let start = 0; start < sample.length; start += rows * columns)
    for (let k = 0; k < rows; k++) {
      const y = dy >= 0 ? k : rows - 1 - k
      const to = start + y * columns
      const from = to + dy * columns + dx
      const inside = y + dy >= 0 && y + dy < rows
      if (inside) sample.copyWithin(to + first, from + first, from + last)
      sample.fill(fill, to, inside ? to + first : to + columns)
      if (inside) sample.fill(fill, to + last, to + columns)
    }
}

/** Rotates about the centre by up to `degrees` each way, bilinearly. */
export const randomRotation =
  (degrees: number, fill = 0): Augmentation =>
  (sample, shape, random) => {
    const angle = ((2 * random.uniform() - 1) * degrees * Math.PI) / 180
    rotatePlanes(sample, shape, angle, fill)
  }

/** Plain loops without closures: this walks every pixel of every sample, as often as the network does. */
function rotatePlanes(sample: Reals, [, height, width]: Shape, angle: number, fill: number): void {
  const [rows, columns] = [height!, width!]
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const [cy, cx] = [(rows - 1) / 2, (columns - 1) / 2]
  const original = sample.slice()
  for (let start = 0; start < sample.length; start += rows * columns) {
    const plane = original.subarray(start, start + rows * columns)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        const sy = cy + cos * (y - cy) - sin * (x - cx)
        const sx = cx + sin * (y - cy) + cos * (x - cx)
        sample[start + y * columns + x] = between(plane, columns, sy, sx, fill)
      }
  }
}

/** The bilinear value at (y, x); pixels outside the plane are `fill`, and a neighbour of weight 0 is not asked for. */
function between(plane: Reals, columns: number, y: number, x: number, fill: number): number {
  const [top, left] = [Math.floor(y), Math.floor(x)]
  const down = y - top
  const upper = alongRow(plane, columns, top, left, x - left, fill)
  return down === 0 ? upper : (1 - down) * upper + down * alongRow(plane, columns, top + 1, left, x - left, fill)
}

function alongRow(plane: Reals, columns: number, y: number, left: number, right: number, fill: number): number {
  const start = y * columns
  const isRow = start >= 0 && start < plane.length
  const a = isRow && left >= 0 && left < columns ? plane[start + left]! : fill
  if (right === 0) return a
  const b = isRow && left >= -1 && left < columns - 1 ? plane[start + left + 1]! : fill
  return (1 - right) * a + right * b
}

/** Mirrors left and right, every second time: for CIFAR, not for digits. */
export const randomFlip = (): Augmentation => (sample, shape, random) => {
  if (random.uniform() >= 0.5) return
  const columns = shape[2]!
  for (let row = 0; row < sample.length; row += columns) sample.subarray(row, row + columns).reverse()
}
