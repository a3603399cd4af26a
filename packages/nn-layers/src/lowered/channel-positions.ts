/** Positions of a channel layout: what lies at each, and slot vectors made of one value for each. */
import type { ChannelLayout } from '@he-ml/packing'

/** For each position of a ciphertext the element (row * width + column) that lies there, or -1. */
export function elementsAt({ image, slots, images, rowStride, columnStride }: ChannelLayout): Int32Array {
  const [, height, width] = image
  const elements = new Int32Array(slots / images).fill(-1)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) elements[y * rowStride + x * columnStride] = y * width + x
  return elements
}

/** Whether some position holds no element. */
export const hasGaps = (layout: ChannelLayout): boolean => elementsAt(layout).includes(-1)

/** One value per position, for all images. */
export function slotVector({ slots, images }: ChannelLayout, values: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: slots }, (_, slot) => values[Math.floor(slot / images)]!)
}

/** A value at every element and zero in the gaps. */
export const atElements = (layout: ChannelLayout, value: number): Float64Array =>
  slotVector(
    layout,
    Float64Array.from(elementsAt(layout), (element) => (element < 0 ? 0 : value)),
  )
