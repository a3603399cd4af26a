import { sizeOf } from '@he-ml/model'
import type { ChannelLayout, MultiplexedLayout, SlotLayout } from './slot-layout.ts'

/**
 * Where each element lies, in row-major order, as ciphertext * slots + slot; for batch and channel layouts the place of image
 * 0 (image b lies `imageShift(layout, b)` further).
 */
export function layoutPositions(layout: SlotLayout): Int32Array {
  const size = sizeOf(layout.shape)
  if (layout.kind === 'batch') return Int32Array.from({ length: size }, (_, i) => i * layout.slots)
  const [channels, height, width] = imageOf(layout)
  const positions = new Int32Array(size)
  const rows = layout.kind === 'channel' ? layout.rowStride * layout.images : layout.grid.rowStride
  const columns = layout.kind === 'channel' ? layout.columnStride * layout.images : layout.grid.columnStride
  let i = 0
  for (let c = 0; c < channels; c++) {
    const start = layout.kind === 'channel' ? channelStart(layout, c) : layout.grid.channelOffsets[c]!
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) positions[i++] = start + y * rows + x * columns
  }
  return positions
}

/** How much further than those of image 0 the elements of an image lie. */
export function imageShift(layout: SlotLayout, image: number): number {
  if (layout.kind !== 'channel') return image
  const { images, slots, subBatchOffsets } = layout
  const subBatch = Math.floor(image / images)
  const together = subBatchOffsets.length
  const group = Math.floor(subBatch / together) * channelCiphertexts(layout.image[0], layout)
  return group * slots + subBatchOffsets[subBatch % together]! * images + (image % images)
}

/** Groups of ciphertexts that hold all channels of some sub-batches each, one behind the other. */
export const ciphertextGroups = ({
  subBatches,
  subBatchOffsets,
}: Pick<ChannelLayout, 'subBatches' | 'subBatchOffsets'>): number => subBatches / subBatchOffsets.length

/** Ciphertexts for so many channels, in each group. */
export const channelCiphertexts = (
  channels: number,
  { channelOffsets }: Pick<ChannelLayout, 'channelOffsets'>,
): number => Math.ceil(channels / channelOffsets.length)

function channelStart({ slots, images, channelOffsets }: ChannelLayout, channel: number): number {
  const together = channelOffsets.length
  return Math.floor(channel / together) * slots + channelOffsets[channel % together]! * images
}

function imageOf({ shape, ...layout }: MultiplexedLayout | ChannelLayout): readonly [number, number, number] {
  if (layout.kind === 'channel') return layout.image
  return shape.length === 3 ? (shape as [number, number, number]) : [shape[0]!, 1, 1]
}

/** Images that fit one packed tensor. */
export const imagesPerTensor = (layout: SlotLayout): number =>
  layout.kind === 'multiplexed' ? 1 : layout.kind === 'batch' ? layout.slots : layout.images * layout.subBatches

/** Whether two layouts of one kind (but for batches) put every element into the same slot. */
export function samePositions<L extends MultiplexedLayout | ChannelLayout>(a: L, b: L): boolean {
  if (a.ciphertexts !== b.ciphertexts || (a.ciphertexts > 1 && a.slots !== b.slots)) return false
  const x = layoutPositions(a)
  const y = layoutPositions(b)
  return x.length === y.length && x.every((p, i) => p === y[i])
}

/** Whether two tensors can be added slot by slot: elements, copies and lengths agree; gaps may hold different things. */
export function liesAlike(a: SlotLayout, b: SlotLayout): boolean {
  if (a.kind !== b.kind || a.slots !== b.slots || a.ciphertexts !== b.ciphertexts) return false
  if (a.kind === 'multiplexed' && b.kind === 'multiplexed') return a.period === b.period && samePositions(a, b)
  return a.kind !== 'channel' || b.kind !== 'channel' || (sameImages(a, b) && samePositions(a, b))
}

const sameImages = (a: ChannelLayout, b: ChannelLayout): boolean =>
  a.images === b.images &&
  a.subBatches === b.subBatches &&
  a.subBatchOffsets.length === b.subBatchOffsets.length &&
  a.subBatchOffsets.every((offset, i) => offset === b.subBatchOffsets[i])
