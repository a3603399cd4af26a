import { checkArgument, InvalidArgumentError } from '@he-ml/ckks-core'
import { type Model, modelCheck } from '@he-ml/model'
import {
  createBatchLayout,
  createChannelLayout,
  createMultiplexedLayout,
  nextPowerOfTwo,
  type SlotLayout,
} from '@he-ml/packing'

/** How tensors lie in slots: one image in few ciphertexts, image = slot, or a channel of many images in a ciphertext. */
export type Packing = 'multiplexed' | 'batch' | 'channel'

/**
 * Where the model's input lies, or each of its frames.
 *
 * @param batch images per run (1 for multiplexed packing); default 1, or for packings of many images as many as there is room for in a
 *   ciphertext. In a channel layout any number: there is room for as many as a power of two, and what a ciphertext cannot hold are
 *   sub-batches
 * @throws InvalidArgumentError for a batch that does not fit; UnsupportedError for an image that does not
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { inputLayoutFor } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const layout = inputLayoutFor(model, 'batch', 8, 4096)
 * assert.deepEqual([layout.slots, layout.ciphertexts], [8, 2]) // a ciphertext for each of two elements, an input in each of eight slots
 * ```
 */
export function inputLayoutFor(
  model: Model,
  packing: Packing,
  batch: number | undefined,
  maxSlots: number,
): SlotLayout {
  checkArgument('inputLayoutFor', 'model', model, modelCheck.model)
  const { shape } = model.input
  if (batch !== undefined && !(Number.isInteger(batch) && batch >= 1))
    throw new InvalidArgumentError(`a batch is a positive number of images, got ${batch}`)
  if (packing === 'multiplexed') {
    if (batch !== undefined && batch !== 1)
      throw new InvalidArgumentError(`multiplexed packing takes one image at a time, got a batch of ${batch}`)
    return createMultiplexedLayout(shape, { maxSlots })
  }
  const most = packing === 'batch' ? maxSlots : createChannelLayout(shape, { slots: maxSlots }).images
  if (batch !== undefined && packing === 'batch' && batch > most)
    throw new InvalidArgumentError(
      `a batch of ${batch} does not fit ${maxSlots} slots: ${packing} packing has room for ${most}`,
    )
  if (packing === 'batch' && batch !== undefined && !Number.isInteger(Math.log2(batch)))
    throw new InvalidArgumentError(
      `a batch of ${batch}: batch packing takes a power of two; use ${nextPowerOfTwo(batch)}, or channel packing`,
    )
  if (packing === 'batch') return createBatchLayout(shape, { slots: batch ?? most })
  const wanted = nextPowerOfTwo(batch ?? most)
  const images = Math.min(wanted, most)
  // no longer than needed: shorter vectors repeat, and decryption averages their copies
  return createChannelLayout(shape, { slots: images * (maxSlots / most), images, subBatches: wanted / images })
}
