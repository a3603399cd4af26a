/** Positions of a channel layout: what lies at each, and slot vectors made of one value for each. */
import type { LazySlotValues } from '@he-ml/ckks-core'
import type { ChannelLayout } from '@he-ml/packing'

/** For each position of a ciphertext the element (row * width + column) of its first channel that lies there, or -1. */
export function elementsAt({ image, slots, images, rowStride, columnStride }: ChannelLayout): Int32Array {
  const [, height, width] = image
  const elements = new Int32Array(slots / images).fill(-1)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) elements[y * rowStride + x * columnStride] = y * width + x
  return elements
}

/** Whether some position holds no element. */
export function hasGaps({ image, ciphertexts, slots, images }: ChannelLayout): boolean {
  const [channels, height, width] = image
  return channels * height * width < ciphertexts * (slots / images)
}

/** One value per position, for all images; made when an engine asks for it. */
export function slotVector({ slots, images }: ChannelLayout, values: Float64Array): LazySlotValues {
  const magnitude = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)
  return {
    slots,
    magnitude,
    values: () => Float64Array.from({ length: slots }, (_, slot) => values[Math.floor(slot / images)]!),
  }
}

/** A value at every element of the channels of a ciphertext, and zero in the gaps. */
export function atElements(
  layout: ChannelLayout,
  valueIn: (channel: number) => number,
  ciphertext: number,
): LazySlotValues {
  const { image, slots, images, rowStride, columnStride, channelOffsets } = layout
  const [channels, height, width] = image
  const values = new Float64Array(slots / images)
  for (const [i, offset] of channelOffsets.entries()) {
    const channel = ciphertext * channelOffsets.length + i
    if (channel >= channels) break
    const value = valueIn(channel)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) values[offset + y * rowStride + x * columnStride] = value
  }
  return slotVector(layout, values)
}

/** The same value at every element: one vector for each ciphertext, those that are full sharing theirs. */
export function masksAt<T>(layout: ChannelLayout, value: number, encode: (values: LazySlotValues) => T): T[] {
  const { image, ciphertexts, channelOffsets } = layout
  const full = Math.floor(image[0] / channelOffsets.length)
  const make = (ciphertext: number): T => encode(atElements(layout, () => value, ciphertext))
  const shared = full > 0 ? make(0) : undefined
  return Array.from({ length: ciphertexts }, (_, i) => (i < full ? shared! : make(i)))
}
