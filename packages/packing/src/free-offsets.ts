/** What lies where in the ciphertexts of a channel layout, and where more of the same fits between. */
import type { ChannelLayout } from './slot-layout.ts'

/** At most: what shares a ciphertext is a rotation in and perhaps one out, each with a key of its own. */
const MOST = 16

/**
 * Offsets at which no two copies of a ciphertext's elements meet, in positions, the smallest first; the first is 0.
 * @returns 16 at most
 */
export function freeOffsets(layout: ChannelLayout): number[] {
  const places = elementsAt(layout)
  const count = places.length
  const first = [...places.keys()].filter((p) => places[p]! >= 0)
  const positions = layout.channelOffsets.flatMap((offset) => first.map((p) => p + offset))
  const last = Math.max(...layout.channelOffsets) + first.at(-1)!
  const most = Math.min(MOST, Math.floor(count / positions.length))
  const taken = new Uint8Array(count)
  const offsets: number[] = []
  for (let offset = 0; offsets.length < most && offset + last < count; offset++) {
    if (positions.some((p) => taken[p + offset])) continue
    for (const p of positions) taken[p + offset] = 1
    offsets.push(offset)
  }
  return offsets
}

/** For each position of a ciphertext the element (row * width + column) of its first channel, of any sub-batch, that lies there, or -1. */
export function elementsAt({
  image,
  slots,
  images,
  rowStride,
  columnStride,
  subBatchOffsets,
}: ChannelLayout): Int32Array {
  const [, height, width] = image
  const elements = new Int32Array(slots / images).fill(-1)
  for (const offset of subBatchOffsets)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) elements[offset + y * rowStride + x * columnStride] = y * width + x
  return elements
}
