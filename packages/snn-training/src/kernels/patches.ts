/** Images to columns of patches and back: a convolution is then a matrix product. */
import type { Reals } from '@he-ml/snn-neurons'
import { type ConvolutionSizes, outputSize } from './float-kernels.ts'

/** Every place where a kernel element meets an element of the image; the rest is padding. */
function forEachTap(
  sizes: ConvolutionSizes,
  channels: number,
  visit: (patch: number, image: number, count: number) => void,
): void {
  const { height, width, kernel, stride, padding } = sizes
  const rows = outputSize(height, kernel[0], stride, padding)
  const columns = outputSize(width, kernel[1], stride, padding)
  let patch = 0
  for (let channel = 0; channel < channels; channel++)
    for (let ky = 0; ky < kernel[0]; ky++)
      for (let kx = 0; kx < kernel[1]; kx++)
        for (let row = 0; row < rows; row++, patch += columns) {
          const y = row * stride + ky - padding
          if (y < 0 || y >= height) continue
          const first = Math.max(0, Math.ceil((padding - kx) / stride))
          const last = Math.min(columns - 1, Math.floor((width - 1 + padding - kx) / stride))
          const x = first * stride + kx - padding
          if (last >= first) visit(patch + first, (channel * height + y) * width + x, last - first + 1)
        }
}

/** One group's channels of an image -> [channels * kernel, positions]; `patches` must be zero where padding is read. */
export function gatherPatches(sizes: ConvolutionSizes, channels: number, image: Reals, patches: Reals): void {
  const { stride } = sizes
  forEachTap(sizes, channels, (to, from, count) => {
    for (let i = 0; i < count; i++) patches[to + i] = image[from + i * stride]!
  })
}

/** Adjoint of {@link gatherPatches}: adds every patch element to where it came from. */
export function scatterPatches(sizes: ConvolutionSizes, channels: number, patches: Reals, image: Reals): void {
  const { stride } = sizes
  forEachTap(sizes, channels, (from, to, count) => {
    for (let i = 0; i < count; i++) image[to + i * stride] = image[to + i * stride]! + patches[from + i]!
  })
}
