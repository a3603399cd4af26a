/** Where in a value's slots the elements of its tensors are. */
import { createTensor, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import { imageShift, imagesPerTensor, layoutPositions } from '@he-ml/packing'
import type { Value } from '@he-ml/pipeline'

/** What of a value says where its elements lie. */
export type Place = Pick<Value, 'layout' | 'part' | 'firstImage'>

/**
 * Goes through the elements that a value holds, image by image; gaps and images that are not there are left out.
 *
 * @param slots one vector for each ciphertext of the value; longer ones repeat
 * @param images of the batch
 * @param take sees the image's place in the batch, the element's in the whole tensor (row-major), and what its slot holds
 */
export function readSlots(
  { layout, part, firstImage = 0 }: Place,
  slots: readonly Float64Array[],
  images: number,
  take: (image: number, element: number, encrypted: number) => void,
): void {
  const positions = layoutPositions(layout)
  const end = Math.min(images, firstImage + imagesPerTensor(layout))
  for (let image = firstImage; image < end; image++) {
    const shift = imageShift(layout, image - firstImage)
    for (const [element, position] of positions.entries()) {
      const place = position + shift
      const vector = slots[Math.floor(place / layout.slots) - part.first]
      if (vector !== undefined) take(image, element, vector[place % layout.slots]!)
    }
  }
}

/** A tensor of this shape for each image, divided by `factor`; what of it lies in other values is NaN. Otherwise as {@link readSlots}. */
export function tensorsOf(
  place: Place,
  slots: readonly Float64Array[],
  { images, shape, factor }: { readonly images: number; readonly shape: Shape; readonly factor: number },
): Tensor[] {
  const tensors = Array.from({ length: images }, () =>
    createTensor([...shape], new Float64Array(sizeOf(shape)).fill(Number.NaN)),
  )
  readSlots(place, slots, images, (image, element, encrypted) => {
    tensors[image]!.data[element] = encrypted / factor
  })
  return tensors
}
