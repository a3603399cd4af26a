/**
 * Where the elements of a tensor lie. Two kinds. `multiplexed`: one image, all channels in as few ciphertexts as possible,
 * gaps after strides filled with other channels (ePrint 2021/1688, section 4). `batch`: one ciphertext per element (or per
 * channel), slots are images (and positions). A layout is plain data: it goes into plans and files.
 */
import type { Shape } from './tensor.ts'

/** One image: element i of the tensor lies in slot positions[i] % slots of ciphertext floor(positions[i] / slots). */
export interface MultiplexedLayout {
  readonly kind: 'multiplexed'
  readonly shape: Shape
  /** Period of each ciphertext's slot vector, a power of two <= N/2. */
  readonly slots: number
  readonly ciphertexts: number
  readonly grid: MultiplexedGrid
}

/** Affine description of a multiplexed layout; see `gridPositions`. */
export interface MultiplexedGrid {
  /** Slots between vertically / horizontally neighbouring elements. */
  readonly rowStride: number
  readonly columnStride: number
  /** Offset of each channel (or feature, for shapes of rank 1), including ciphertext * slots. */
  readonly channelOffsets: readonly number[]
  /** Whether slots that hold no element are known to be zero. */
  readonly cleanGaps: boolean
}

/** Many images: element i of the tensor is ciphertext i, slot s holds image s. */
export interface BatchLayout {
  readonly kind: 'batch'
  readonly shape: Shape
  /** Images per ciphertext, a power of two <= N/2. */
  readonly slots: number
  readonly ciphertexts: number
}

/**
 * Channel by channel: ciphertext c holds channel c, slots are positions x images (design for ResNets, see
 * docs/notes/batch-layout.md).
 */
export interface ChannelLayout {
  readonly kind: 'channel'
  readonly shape: Shape
  readonly slots: number
  readonly ciphertexts: number
  /** Images in a ciphertext: slot = position * images + image. */
  readonly images: number
  readonly rowStride: number
  readonly columnStride: number
}

export type SlotLayout = MultiplexedLayout | BatchLayout | ChannelLayout
