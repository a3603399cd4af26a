/** Positions of a channel layout: what lies at each, and slot vectors made of one value for each. */
import type { LazySlotValues } from '@he-ml/ckks-core'
import {
  type ChannelLayout,
  channelCiphertexts,
  ciphertextGroups,
  type Gaps,
  type SlotLayout,
  withGaps,
} from '@he-ml/packing'

/** Whether some position holds no element. */
export function hasGaps({ image, ciphertexts, slots, images, subBatches }: ChannelLayout): boolean {
  const [channels, height, width] = image
  return channels * height * width * subBatches < ciphertexts * (slots / images)
}

/** Gaps as a layer leaves them, but for layouts that have none: these hold what they promise whatever the layer does. */
export const withOwnGaps = <L extends SlotLayout>(layout: L, gaps: Gaps): L =>
  layout.kind === 'channel' && !hasGaps(layout) ? layout : withGaps(layout, gaps)

/** One value per position, for all images; made when an engine asks for it. */
export function slotVector({ slots, images }: ChannelLayout, values: Float64Array): LazySlotValues {
  const magnitude = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)
  return {
    slots,
    magnitude,
    values: () => Float64Array.from({ length: slots }, (_, slot) => values[Math.floor(slot / images)]!),
  }
}

/** A value at every element of the channels of a ciphertext (within its group), and zero in the gaps. */
export function atElements(
  layout: ChannelLayout,
  valueIn: (channel: number, row: number, column: number) => number,
  ciphertext: number,
): LazySlotValues {
  const { image, slots, images, rowStride, columnStride, channelOffsets, subBatchOffsets } = layout
  const [channels, height, width] = image
  const values = new Float64Array(slots / images)
  for (const [i, offset] of channelOffsets.entries()) {
    const channel = ciphertext * channelOffsets.length + i
    if (channel >= channels) break
    for (const subBatch of subBatchOffsets)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          values[subBatch + offset + y * rowStride + x * columnStride] = valueIn(channel, y, x)
  }
  return slotVector(layout, values)
}

/** The same value at every element: one vector for each ciphertext, those that are full sharing theirs, as do groups. */
export function masksAt<T>(layout: ChannelLayout, value: number, encode: (values: LazySlotValues) => T): T[] {
  const { image, channelOffsets } = layout
  const full = Math.floor(image[0] / channelOffsets.length)
  const make = (ciphertext: number): T => encode(atElements(layout, () => value, ciphertext))
  const shared = full > 0 ? make(0) : undefined
  const group = Array.from({ length: channelCiphertexts(image[0], layout) }, (_, i) => (i < full ? shared! : make(i)))
  return Array.from({ length: ciphertextGroups(layout) }, () => group).flat()
}
