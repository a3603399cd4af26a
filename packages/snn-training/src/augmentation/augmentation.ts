/**
 * Random changes of images that leave their class as it is. All frames and channels of a sample are changed alike: a sample
 * is any number of planes of the shape's height and width. Drawn from the stream that the trainer gives.
 */
import type { Reals } from '@he-ml/snn-neurons'
import type { RandomStream } from '../random/random-stream.ts'
import type { Shape } from '../tensor/signal.ts'

/** Changes a sample [frames, channels, height, width] in place. */
export type Augmentation = (sample: Reals, shape: Shape, random: RandomStream) => void

/** One after the other. */
export const compose =
  (...augmentations: readonly Augmentation[]): Augmentation =>
  (sample, shape, random) => {
    for (const augmentation of augmentations) augmentation(sample, shape, random)
  }

/** Where a pixel of the result comes from, in pixels of the original. */
type Source = (y: number, x: number) => readonly [y: number, x: number]

/** Resamples every plane, bilinearly; outside the image is `fill`. */
function resample(sample: Reals, [, height, width]: Shape, source: Source, fill: number): void {
  const [rows, columns] = [height!, width!]
  const size = rows * columns
  const original = sample.slice()
  for (let start = 0; start < sample.length; start += size) {
    const at = (y: number, x: number) =>
      y < 0 || y >= rows || x < 0 || x >= columns ? fill : original[start + y * columns + x]!
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        const [sy, sx] = source(y, x)
        const [top, left] = [Math.floor(sy), Math.floor(sx)]
        const [down, right] = [sy - top, sx - left]
        // a neighbour of weight 0 is not asked for: it may lie outside
        const row = (v: number) => (right === 0 ? at(v, left) : (1 - right) * at(v, left) + right * at(v, left + 1))
        sample[start + y * columns + x] = down === 0 ? row(top) : (1 - down) * row(top) + down * row(top + 1)
      }
  }
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

/** Rotates about the centre by up to `degrees` each way. */
export const randomRotation =
  (degrees: number, fill = 0): Augmentation =>
  (sample, shape, random) => {
    const angle = ((2 * random.uniform() - 1) * degrees * Math.PI) / 180
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
    const [cy, cx] = [(shape[1]! - 1) / 2, (shape[2]! - 1) / 2]
    const source: Source = (y, x) => [cy + cos * (y - cy) - sin * (x - cx), cx + sin * (y - cy) + cos * (x - cx)]
    resample(sample, shape, source, fill)
  }

/** Mirrors left and right, every second time: for CIFAR, not for digits. */
export const randomFlip = (): Augmentation => (sample, shape, random) => {
  if (random.uniform() >= 0.5) return
  const columns = shape[2]!
  for (let row = 0; row < sample.length; row += columns) sample.subarray(row, row + columns).reverse()
}
