import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { createBatchLayout, createChannelLayout, createMultiplexedLayout, type SlotLayout } from '@he-ml/packing'

export type Packing = 'multiplexed' | 'batch' | 'channel'

/**
 * Where the model's input lies, or each of its frames.
 *
 * @param batch images per run, a power of two (1 for multiplexed packing); default 1, or for packings of many images as many as
 *   there is room for
 * @throws InvalidArgumentError for a batch that does not fit; UnsupportedError for an image that does not
 */
export function inputLayoutFor(
  model: Model,
  packing: Packing,
  batch: number | undefined,
  maxSlots: number,
): SlotLayout {
  const { shape } = model.input
  if (packing === 'multiplexed') {
    if (batch !== undefined && batch !== 1)
      throw new InvalidArgumentError(`multiplexed packing takes one image at a time, got a batch of ${batch}`)
    return createMultiplexedLayout(shape, { maxSlots })
  }
  const most = packing === 'batch' ? maxSlots : createChannelLayout(shape, { slots: maxSlots }).images
  if (batch !== undefined && batch > most)
    throw new InvalidArgumentError(
      `a batch of ${batch} does not fit ${maxSlots} slots: ${packing} packing has room for ${most}`,
    )
  const images = batch ?? most
  if (packing === 'batch') return createBatchLayout(shape, { slots: images })
  // no longer than needed: shorter vectors repeat, and decryption averages their copies
  return createChannelLayout(shape, { slots: images * (maxSlots / most), images })
}
