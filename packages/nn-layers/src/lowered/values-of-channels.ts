/** One number for each channel, as slot vectors of a layout. */
import type { LazySlotValues } from '@he-ml/ckks-core'
import {
  type ChannelLayout,
  channelCiphertexts,
  layoutPositions,
  type MultiplexedLayout,
  type SlotLayout,
} from '@he-ml/packing'
import { atElements, hasGaps } from './channel-positions.ts'

/**
 * For each ciphertext, or each of a group, the value of the channel that every slot belongs to, and 0 in gaps; a number where all of
 * its slots hold elements of one value.
 *
 * @param of one for each channel, which is the first dimension of the layout's shape
 */
export function valuesOfChannels(of: Float64Array, layout: SlotLayout): (number | Float64Array | LazySlotValues)[] {
  if (layout.kind === 'batch') {
    const each = layout.ciphertexts / of.length
    return Array.from({ length: layout.ciphertexts }, (_, i) => of[Math.floor(i / each)]!)
  }
  return layout.kind === 'channel' ? inChannelLayout(of, layout) : inMultiplexed(of, layout)
}

function inChannelLayout(values: Float64Array, layout: ChannelLayout): (number | LazySlotValues)[] {
  const { image, channelOffsets } = layout
  const [channels, height, width] = image
  // of a flattened image the channels are its elements
  const share = values.length / (channels * height * width)
  const of = (channel: number, y: number, x: number): number =>
    values[Math.floor(((channel * height + y) * width + x) * share)]!
  const isFull = channelOffsets.length === 1 && !hasGaps(layout) && values.length <= channels
  return Array.from({ length: channelCiphertexts(channels, layout) }, (_, i) =>
    isFull ? of(i, 0, 0) : atElements(layout, of, i),
  )
}

function inMultiplexed(values: Float64Array, layout: MultiplexedLayout): Float64Array[] {
  const { period, slots, ciphertexts } = layout
  const vectors = Array.from({ length: ciphertexts }, () => new Float64Array(period))
  const places = layoutPositions(layout)
  for (const [i, place] of places.entries())
    vectors[Math.floor(place / slots)]![place % slots] = values[Math.floor((i * values.length) / places.length)]!
  return vectors
}
