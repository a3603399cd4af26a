/** Tensors to slot vectors and back; what a client does before encrypting and after decrypting. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, sameShape, sizeOf, type Tensor } from '@he-ml/model'
import { imageShift, imagesPerTensor, layoutPositions } from './layout-positions.ts'
import type { SlotLayout } from './slot-layout.ts'

/**
 * One slot vector per ciphertext. Slots without an element are zero.
 *
 * @param tensors one tensor, or up to `imagesPerTensor(layout)` for batch and channel layouts
 * @returns `layout.ciphertexts` vectors of `layout.slots` values
 * @throws InvalidArgumentError for no tensor, too many, or a wrong shape
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { createBatchLayout, pack } from '@he-ml/packing'
 * const layout = createBatchLayout([2], { slots: 4 })
 * const images = [createTensor([2], Float64Array.of(1, 2)), createTensor([2], Float64Array.of(3, 4))]
 * console.log(pack(images, layout)) // [[1, 3, 0, 0], [2, 4, 0, 0]]
 * ```
 */
export function pack(tensors: Tensor | readonly Tensor[], layout: SlotLayout): Float64Array[] {
  const images = 'data' in tensors ? [tensors] : tensors
  checkCount(images.length, layout)
  const positions = layoutPositions(layout)
  const vectors = Array.from({ length: layout.ciphertexts }, () => new Float64Array(layout.slots))
  const copies = layout.kind === 'multiplexed' ? layout.slots / layout.period : 1
  images.forEach((image, b) => {
    if (!sameShape(image.shape, layout.shape))
      throw new InvalidArgumentError(`pack: image ${b} has shape [${image.shape}], the layout is for [${layout.shape}]`)
    const shift = imageShift(layout, b)
    for (let i = 0; i < positions.length; i++) {
      const place = positions[i]! + shift
      const vector = vectors[Math.floor(place / layout.slots)]!
      for (let k = 0; k < copies; k++) vector[(place % layout.slots) + k * (layout.slots / copies)] = image.data[i]!
    }
  })
  return vectors
}

/**
 * The tensors that slot vectors hold.
 *
 * @param vectors one per ciphertext; longer than `layout.slots` is allowed, the rest repeats
 * @param count images wanted; default all that the layout holds
 * @throws InvalidArgumentError for a wrong number or length of vectors
 */
export function unpack(vectors: readonly Float64Array[], layout: SlotLayout, count?: number): Tensor[] {
  const images = count ?? imagesPerTensor(layout)
  checkCount(images, layout)
  if (vectors.length !== layout.ciphertexts)
    throw new InvalidArgumentError(`unpack: the layout has ${layout.ciphertexts} ciphertexts, got ${vectors.length}`)
  for (const vector of vectors) {
    if (vector.length < layout.slots || vector.length % layout.slots !== 0)
      throw new InvalidArgumentError(`unpack: expected vectors of ${layout.slots} slots, got ${vector.length}`)
  }
  const positions = layoutPositions(layout)
  return Array.from({ length: images }, (_, b) => {
    const data = new Float64Array(sizeOf(layout.shape))
    const shift = imageShift(layout, b)
    for (let i = 0; i < data.length; i++) {
      const place = positions[i]! + shift
      data[i] = vectors[Math.floor(place / layout.slots)]![place % layout.slots]!
    }
    return createTensor(layout.shape, data)
  })
}

function checkCount(count: number, layout: SlotLayout): void {
  const most = imagesPerTensor(layout)
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw new InvalidArgumentError(
      `a ${layout.kind} layout of [${layout.shape}] holds 1 to ${most} images, got ${count}`,
    )
}
