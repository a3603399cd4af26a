/**
 * Where the elements of a tensor lie. Three kinds. `multiplexed`: one image, all channels in as few ciphertexts as possible,
 * gaps after strides filled with other channels (ePrint 2021/1688, section 4). `batch`: one ciphertext per element, slots are
 * images. `channel`: one ciphertext per channel, slots are positions x images. A layout is plain data: it goes into plans
 * and files as JSON; `parseLayout` reads it back.
 */
import type { Shape } from '@he-ml/model'

/** One image: element i of the tensor lies in slot positions[i] % slots of ciphertext floor(positions[i] / slots). */
export interface MultiplexedLayout {
  /** Names the form. */
  readonly kind: 'multiplexed'
  /** [channels, height, width] or [features]. */
  readonly shape: Shape
  /** Length of each ciphertext's slot vector, a power of two <= N/2. */
  readonly slots: number
  /**
   * The whole vector, gaps included, repeats with this period: a power of two <= slots; less than slots when sums were
   * folded over the whole ciphertext. Smaller than slots only when there is one ciphertext.
   */
  readonly period: number
  /** How many ciphertexts the tensor takes. */
  readonly ciphertexts: number
  /** In which slots the elements lie. */
  readonly grid: MultiplexedGrid
}

/** Affine description of a multiplexed layout; see `layoutPositions`. */
export interface MultiplexedGrid {
  /** Slots between vertically / horizontally neighbouring elements; 1 for shapes of rank 1. */
  readonly rowStride: number
  /** Slots between horizontally neighbouring elements; 1 for shapes of rank 1. */
  readonly columnStride: number
  /** Offset of each channel (or feature, for shapes of rank 1), including ciphertext * slots. */
  readonly channelOffsets: readonly number[]
  /** What slots without an element hold. */
  readonly gaps: Gaps
}

/**
 * What slots without an element hold: 'zero'; 'bounded', values within the range of the elements (a polynomial's value at
 * zero); 'any', partial sums of any size.
 */
export type Gaps = 'zero' | 'bounded' | 'any'

/** Many images: element i of the tensor is ciphertext i, slot s holds image s. */
export interface BatchLayout {
  /** Names the form. */
  readonly kind: 'batch'
  /** Of one image: [channels, height, width] or [features]. */
  readonly shape: Shape
  /** Images per ciphertext, a power of two <= N/2. */
  readonly slots: number
  /** One for each element of an image. */
  readonly ciphertexts: number
}

/**
 * Channel by channel: with f channel offsets, f channels share a ciphertext; with g sub-batch offsets, so do g sub-batches of images. The
 * element in row y and column x of channel c, image b of sub-batch s lies in ciphertext floor(s / g) ceil(channels / f) + floor(c / f), slot
 * (subBatchOffsets[s % g] + channelOffsets[c % f] + y * rowStride + x * columnStride) * images + b. For throughput on deep networks
 * (docs/notes/channel-packing.md).
 */
export interface ChannelLayout {
  /** Names the form. */
  readonly kind: 'channel'
  /** The tensor's own: [channels, height, width], or that flattened. */
  readonly shape: Shape
  /** The same elements, row-major, as [channels, height, width]. */
  readonly image: readonly [channels: number, height: number, width: number]
  /** Length of the slot vectors, a power of two up to N/2. */
  readonly slots: number
  /** How many ciphertexts the whole batch takes. */
  readonly ciphertexts: number
  /** Images in a sub-batch, a power of two. Those that a client leaves out are images of zeros. */
  readonly images: number
  /** Sub-batches, which all go the same way: image i of the whole batch is image i % images of sub-batch floor(i / images). */
  readonly subBatches: number
  /** Where the sub-batches of a ciphertext begin, in positions; [0] for one in each. As many divide `subBatches`. */
  readonly subBatchOffsets: readonly number[]
  /** In positions, not slots. */
  readonly rowStride: number
  /** Positions between horizontally neighbouring elements. */
  readonly columnStride: number
  /** Where the channels of a ciphertext begin, in positions; [0] for one channel in each. Others lie in the gaps that strides leave. */
  readonly channelOffsets: readonly number[]
  /** Of positions without an element: beyond the image, and between elements after a stride. */
  readonly gaps: Gaps
}

/** Where the elements of a tensor, or of a batch of them, lie. */
export type SlotLayout = MultiplexedLayout | BatchLayout | ChannelLayout
