/** Images to columns of patches and back: a convolution is then a matrix product. */

import { bothWays, type ConvolutionSizes, outputSize } from '../port/matrix-tasks.ts'
import type { Reals } from '../reals.ts'

/** Every place where a kernel element meets an element of the image; the rest is padding. */
function forEachTap(
  sizes: ConvolutionSizes,
  channels: number,
  visit: (patch: number, image: number, count: number) => void,
): void {
  const { height, width } = sizes
  const [kernel, stride, padding] = [bothWays(sizes.kernel), bothWays(sizes.stride), bothWays(sizes.padding)]
  const rows = outputSize(height, kernel[0], stride[0], padding[0])
  const columns = outputSize(width, kernel[1], stride[1], padding[1])
  let patch = 0
  for (let channel = 0; channel < channels; channel++)
    for (let ky = 0; ky < kernel[0]; ky++)
      for (let kx = 0; kx < kernel[1]; kx++)
        for (let row = 0; row < rows; row++, patch += columns) {
          const y = row * stride[0] + ky - padding[0]
          if (y < 0 || y >= height) continue
          const first = Math.max(0, Math.ceil((padding[1] - kx) / stride[1]))
          const last = Math.min(columns - 1, Math.floor((width - 1 + padding[1] - kx) / stride[1]))
          const x = first * stride[1] + kx - padding[1]
          if (last >= first) visit(patch + first, (channel * height + y) * width + x, last - first + 1)
        }
}

/** One group's channels of an image -> [channels * kernel, positions]; `patches` must be zero where padding is read. */
export function gatherPatches(sizes: ConvolutionSizes, channels: number, image: Reals, patches: Reals): void {
  const [, stride] = bothWays(sizes.stride)
  forEachTap(sizes, channels, (to, from, count) => {
    for (let i = 0; i < count; i++) patches[to + i] = image[from + i * stride]!
  })
}

/** Adjoint of {@link gatherPatches}: adds every patch element to where it came from. */
export function scatterPatches(sizes: ConvolutionSizes, channels: number, patches: Reals, image: Reals): void {
  const [, stride] = bothWays(sizes.stride)
  forEachTap(sizes, channels, (from, to, count) => {
    for (let i = 0; i < count; i++) image[to + i * stride] = image[to + i * stride]! + patches[from + i]!
  })
}
