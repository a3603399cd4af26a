/** Where a window leaves its results on a channel layout. */
import { UnsupportedError } from '@he-ml/ckks-core'
import { type ChannelLayout, channelCiphertexts, ciphertextGroups, elementsAt } from '@he-ml/packing'
import type { LinearMap } from '../linear-map/linear-map.ts'

/**
 * Where the results of a window lie: each keeps the place of the input it starts at, but for padding, so after a stride of 2
 * elements are twice as far apart.
 *
 * @throws UnsupportedError when padding makes the image larger than there are positions
 */
export function channelOutput({ name, output, outputShape, window }: LinearMap, input: ChannelLayout): ChannelLayout {
  const [channels, height, width] = output
  const [down, across] = window.stride
  const layout: ChannelLayout = {
    ...input,
    shape: outputShape,
    image: [channels, height, width],
    ciphertexts: channelCiphertexts(channels, input) * ciphertextGroups(input),
    rowStride: height > 1 ? input.rowStride * down : input.rowStride,
    columnStride: width > 1 ? input.columnStride * across : input.columnStride,
  }
  const elements = elementsAt(layout)
  const placed = elements.reduce((count, element) => count + (element < 0 ? 0 : 1), 0)
  const extent = (height - 1) * layout.rowStride + (width - 1) * layout.columnStride
  const last = Math.max(...layout.subBatchOffsets) + extent
  if (last >= elements.length || placed !== height * width * layout.subBatchOffsets.length)
    throw new UnsupportedError(
      `layer "${name}": its output [${output}] does not fit ${elements.length} positions with rows ${layout.rowStride} apart: use less padding, or the batch layout`,
    )
  return layout
}
