/** Layouts of fresh inputs, before any layer has moved elements around. */
import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { type Shape, sizeOf } from '@he-ml/model'
import type { BatchLayout, ChannelLayout, MultiplexedLayout } from './slot-layout.ts'

/** The smallest power of two that is at least `n`. */
export function nextPowerOfTwo(n: number): number {
  let p = 1
  while (p < n) p *= 2
  return p
}

/** Whether a number is 1, 2, 4, 8 and so on. */
export const isPowerOfTwo = (n: number): boolean => Number.isInteger(n) && n >= 1 && Number.isInteger(Math.log2(n))

/** Options of {@link createMultiplexedLayout}. */
export interface MultiplexedOptions {
  /** N/2 of the parameters. */
  readonly maxSlots: number
  /** Length of the slot vectors; default the smallest power of two that holds the tensor, at most maxSlots. */
  readonly slots?: number
  /** Slots from one row to the next; default the width, or the next power of two when that needs no longer vector. */
  readonly rowStride?: number
}

/**
 * One image in as few slots as possible, channel after channel, each channel in a power-of-two block. The vector is as short
 * as it can be, so it repeats through the ciphertext and the first convolution finds a copy under every output channel.
 *
 * @param shape [channels, height, width] or [features]
 * @throws UnsupportedError when one channel does not fit a ciphertext; InvalidArgumentError for malformed shapes or options
 * @example
 * ```ts
 * import { createMultiplexedLayout } from '@he-ml/packing'
 * const layout = createMultiplexedLayout([1, 28, 28], { maxSlots: 16384 })
 * console.log(layout.slots, layout.grid.rowStride) // 1024 32
 * ```
 */
export function createMultiplexedLayout(shape: Shape, options: MultiplexedOptions): MultiplexedLayout {
  checkShape(shape)
  checkSlots('maxSlots', options.maxSlots, options.maxSlots)
  const { maxSlots } = options
  const [channels, height, width] = shape.length === 3 ? (shape as [number, number, number]) : [shape[0]!, 1, 1]
  const rowStride = options.rowStride ?? defaultRowStride(height, width)
  if (!Number.isInteger(rowStride) || rowStride < width)
    throw new InvalidArgumentError(`rowStride must be an integer of at least the width ${width}, got ${rowStride}`)
  const block = nextPowerOfTwo((height - 1) * rowStride + width)
  if (block > maxSlots)
    throw new UnsupportedError(
      `multiplexed layout: one channel of [${shape}] takes ${block} slots, more than the ${maxSlots} of a ciphertext: use a larger ring or the channel layout`,
    )
  const slots = options.slots ?? Math.min(maxSlots, block * nextPowerOfTwo(channels))
  checkSlots('slots', slots, maxSlots)
  if (slots < block)
    throw new InvalidArgumentError(`slots must be at least ${block} to hold a channel of [${shape}], got ${slots}`)
  const channelOffsets = Array.from({ length: channels }, (_, c) => c * block)
  return {
    kind: 'multiplexed',
    shape: [...shape],
    slots,
    period: slots,
    ciphertexts: Math.ceil((channels * block) / slots),
    grid: { rowStride: shape.length === 3 ? rowStride : 1, columnStride: 1, channelOffsets, gaps: 'zero' },
  }
}

function defaultRowStride(height: number, width: number): number {
  const padded = nextPowerOfTwo(width)
  const tight = nextPowerOfTwo((height - 1) * width + width)
  return nextPowerOfTwo((height - 1) * padded + width) === tight ? padded : width
}

/**
 * Many images, one per slot; every element is a ciphertext of its own, so weights are scalars and nothing is ever rotated.
 *
 * @param options.slots images per ciphertext, a power of two
 * @throws InvalidArgumentError for malformed shapes or slots
 */
export function createBatchLayout(shape: Shape, options: { readonly slots: number }): BatchLayout {
  if (shape.length === 0) throw new InvalidArgumentError('a batch layout needs a shape of rank 1 or more')
  checkSizes(shape)
  checkSlots('slots', options.slots, options.slots)
  return { kind: 'batch', shape: [...shape], slots: options.slots, ciphertexts: sizeOf(shape) }
}

/** Sub-batches of a layout at most. */
export const MOST_SUB_BATCHES = 1024

/** Options of {@link createChannelLayout}. */
export interface ChannelOptions {
  /** Length of the slot vectors, a power of two. */
  readonly slots: number
  /** Images per ciphertext; default as many as fit, a power of two. */
  readonly images?: number
  /** Sub-batches of so many images, each in ciphertexts of its own; default 1. */
  readonly subBatches?: number
}

/**
 * Many images, one channel of a sub-batch per ciphertext: images are the fast index, positions the slow one, so a rotation by
 * `images` moves every image by one column.
 *
 * @throws InvalidArgumentError when a channel of that many images does not fit, or for malformed shapes
 */
export function createChannelLayout(shape: Shape, options: ChannelOptions): ChannelLayout {
  if (shape.length !== 3)
    throw new InvalidArgumentError(`a channel layout needs a shape [channels, height, width], got [${shape}]`)
  checkSizes(shape)
  checkSlots('slots', options.slots, options.slots)
  const [channels, height, width] = shape as [number, number, number]
  const rowStride = defaultRowStride(height, width)
  const positions = nextPowerOfTwo((height - 1) * rowStride + width)
  const { images = options.slots / positions, subBatches = 1 } = options
  if (!Number.isInteger(subBatches) || subBatches < 1 || subBatches > MOST_SUB_BATCHES)
    throw new InvalidArgumentError(`channel layout: expected 1 to ${MOST_SUB_BATCHES} sub-batches, got ${subBatches}`)
  if (!isPowerOfTwo(images) || images * positions > options.slots)
    throw new InvalidArgumentError(
      `channel layout: ${options.images ?? 'no'} images of ${positions} positions do not fit ${options.slots} slots: use at most ${Math.floor(options.slots / positions)}`,
    )
  return {
    kind: 'channel',
    shape: [...shape],
    image: [channels, height, width],
    slots: options.slots,
    ciphertexts: channels * subBatches,
    images,
    subBatches,
    subBatchOffsets: [0],
    rowStride,
    columnStride: 1,
    channelOffsets: [0],
    gaps: 'zero',
  }
}

function checkSizes(shape: Shape): void {
  if (shape.some((d) => !Number.isInteger(d) || d < 1))
    throw new InvalidArgumentError(`a shape needs positive integers, got [${shape}]`)
}

function checkShape(shape: Shape): void {
  if (shape.length !== 1 && shape.length !== 3)
    throw new InvalidArgumentError(
      `a multiplexed layout needs a shape [channels, height, width] or [features], got [${shape}]`,
    )
  checkSizes(shape)
}

function checkSlots(name: string, slots: number, maxSlots: number): void {
  if (!isPowerOfTwo(slots) || slots > maxSlots || slots > 2 ** 16)
    throw new InvalidArgumentError(
      `${name} must be a power of two of at most ${Math.min(maxSlots, 2 ** 16)}, got ${slots}`,
    )
}
