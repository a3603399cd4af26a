/**
 * A linear map over features as one over the channels, rows and columns that the features are: a fully connected layer
 * becomes a convolution whose kernel is the whole image.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import type { ChannelLayout } from '@he-ml/packing'
import { type LinearMap, POINT_WINDOW } from '../linear-map/linear-map.ts'

/** @throws UnsupportedError when the map's rows and columns are others than the layout's */
export function onImage(map: LinearMap, { image }: ChannelLayout): LinearMap {
  if (map.input.every((size, axis) => size === image[axis])) return map
  const [channels, height, width] = image
  const isFull = map.groups === 1 && !map.placed && map.input[1] === 1 && map.input[2] === 1
  if (!isFull || map.window.kernel.some((size) => size !== 1) || map.window.padding.some((p) => p !== 0))
    throw new UnsupportedError(
      `layer "${map.name}" cannot run on a channel layout here: it is made for [${map.input}], and each ciphertext holds a channel of [${image}]: reshape after it, or pack the input as batch (image = slot)`,
    )
  return {
    ...map,
    input: [channels, height, width],
    window: { ...POINT_WINDOW, kernel: [height, width] },
    weight: (o, c, ky, kx, y, x) => map.weight(o, (c * height + ky) * width + kx, 0, 0, y, x),
  }
}
