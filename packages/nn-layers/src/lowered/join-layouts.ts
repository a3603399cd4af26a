/** The layout of several tensors' channels in one: their ciphertexts in one list, every element where it was. */
import { type Shape, sizeOf } from '@he-ml/model'
import {
  type ChannelLayout,
  channelCiphertexts,
  ciphertextGroups,
  gapsOf,
  type MultiplexedLayout,
  type SlotLayout,
  worseGaps,
} from '@he-ml/packing'

export interface JoinedLayouts {
  readonly output: SlotLayout
  /** Where each ciphertext of the output comes from. */
  readonly from: readonly { readonly input: number; readonly ciphertext: number }[]
}

export interface NoJoin {
  /** Why they cannot be joined, and what to do. */
  readonly problem: string
}

const OF_KIND = 'lie in layouts of different kinds: pack all inputs of the model alike'

/** @param shape of the result, which differs from the inputs' in the first dimension only */
export function joinLayouts(inputs: readonly SlotLayout[], shape: Shape): JoinedLayouts | NoJoin {
  const [first] = inputs
  if (first?.kind === 'batch') {
    const batches = inputs.filter((layout) => layout.kind === 'batch' && layout.slots === first.slots)
    if (batches.length !== inputs.length) return { problem: OF_KIND }
    return { output: { ...first, shape, ciphertexts: sizeOf(shape) }, from: behindEachOther(inputs) }
  }
  if (first?.kind === 'channel') {
    const channels = inputs.filter((layout) => layout.kind === 'channel')
    return channels.length === inputs.length ? joinChannels(channels, shape) : { problem: OF_KIND }
  }
  const images = inputs.filter((layout) => layout.kind === 'multiplexed')
  return images.length === inputs.length && images.length > 0 ? joinImages(images, shape) : { problem: OF_KIND }
}

const behindEachOther = (inputs: readonly SlotLayout[]): JoinedLayouts['from'] =>
  inputs.flatMap(({ ciphertexts }, input) =>
    Array.from({ length: ciphertexts }, (_, ciphertext) => ({ input, ciphertext })),
  )

function joinImages(inputs: readonly MultiplexedLayout[], shape: Shape): JoinedLayouts | NoJoin {
  const [first] = inputs as [MultiplexedLayout]
  const { rowStride, columnStride } = first.grid
  if (inputs.some(({ grid }) => grid.rowStride !== rowStride || grid.columnStride !== columnStride))
    return { problem: 'lie on grids of different steps: give all branches the same strides, or use the batch layout' }
  // a shorter vector repeats through the ciphertext; its copies come to lie in gaps of the longer one
  const slots = Math.max(...inputs.map((layout) => layout.slots))
  const repeats = inputs.some(({ period }) => period < slots)
  const starts = inputs.map((_, i) => inputs.slice(0, i).reduce((sum, { ciphertexts }) => sum + ciphertexts, 0))
  if (inputs.some((layout) => layout.slots < slots && layout.ciphertexts > 1))
    return { problem: 'take vectors of different lengths in several ciphertexts: use the batch layout' }
  const channelOffsets = inputs.flatMap(({ grid }, i) =>
    grid.channelOffsets.map((offset) => offset + starts[i]! * slots),
  )
  const gaps = worseGaps(...inputs.map(gapsOf), repeats ? 'bounded' : 'zero')
  const output: MultiplexedLayout = {
    ...first,
    shape,
    slots,
    period: slots,
    ciphertexts: inputs.reduce((sum, { ciphertexts }) => sum + ciphertexts, 0),
    grid: { rowStride, columnStride, channelOffsets, gaps },
  }
  return { output, from: behindEachOther(inputs) }
}

/** How elements lie within a ciphertext, and how batches are spread over groups of them. */
const within = ({
  image,
  images,
  slots,
  subBatches,
  subBatchOffsets,
  rowStride,
  columnStride,
  channelOffsets,
}: ChannelLayout): string =>
  JSON.stringify([image.slice(1), images, slots, subBatches, subBatchOffsets, rowStride, columnStride, channelOffsets])

function joinChannels(inputs: readonly ChannelLayout[], shape: Shape): JoinedLayouts | NoJoin {
  const [first] = inputs as [ChannelLayout]
  if (inputs.some((layout) => within(layout) !== within(first)))
    return {
      problem:
        'lie in different slots of their ciphertexts: give all branches the same strides, or use the batch layout',
    }
  const share = first.channelOffsets.length
  if (inputs.slice(0, -1).some(({ image }) => image[0] % share !== 0))
    return {
      problem: `share ciphertexts among ${share} channels behind a stride, and all but the last must have a multiple of them: use the batch layout, or other numbers of channels`,
    }
  const channels = inputs.reduce((sum, { image }) => sum + image[0], 0)
  const groups = ciphertextGroups(first)
  const from = Array.from({ length: groups }, (_, group) =>
    inputs.flatMap((layout, input) => {
      const count = channelCiphertexts(layout.image[0], layout)
      return Array.from({ length: count }, (_, i) => ({ input, ciphertext: group * count + i }))
    }),
  ).flat()
  const output: ChannelLayout = {
    ...first,
    shape,
    image: [channels, first.image[1], first.image[2]],
    ciphertexts: from.length,
    gaps: worseGaps(...inputs.map(gapsOf)),
  }
  return { output, from }
}
