/**
 * Elements of a channel layout given new names. Any shape will do while their order stays; of other orders those that are whole
 * ciphertexts: channels left out, in another order, and images cropped at the bottom and on the right, or thinned out.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import type { Shape } from '@he-ml/model'
import { type ChannelLayout, channelCiphertexts, ciphertextGroups, layoutPositions } from '@he-ml/packing'

export interface ChannelRenaming {
  readonly name: string
  readonly shape: Shape
  /** Element of the input that each element of the output is; all different. Absent: the same order. */
  readonly sources?: Int32Array
}

export interface RenamedChannels {
  readonly output: ChannelLayout
  /** Which ciphertexts of the input are those of the output. */
  readonly ciphertexts: readonly number[]
}

/** @throws UnsupportedError when the elements are no channels with their first element in the first slot */
export function renameChannels({ name, shape, sources }: ChannelRenaming, input: ChannelLayout): RenamedChannels {
  const all = layoutPositions(input)
  if (!sources || (sources.length === all.length && sources.every((source, i) => source === i)))
    return { output: { ...input, shape }, ciphertexts: Array.from({ length: input.ciphertexts }, (_, c) => c) }
  const positions = sources.map((source) => all[source]!)
  const [channels, height, width] = shape.length === 3 ? (shape as [number, number, number]) : [positions.length, 1, 1]
  const plane = height * width
  const ciphertexts = Array.from({ length: channels }, (_, c) => Math.floor(positions[c * plane]! / input.slots))
  const stride = (step: number, otherwise: number): number =>
    (positions[step]! - positions[0]!) / input.images || otherwise
  const together = input.channelOffsets.length
  const output: ChannelLayout = {
    ...input,
    shape,
    image: [channels, height, width],
    ciphertexts: channelCiphertexts(channels, input) * ciphertextGroups(input),
    columnStride: width > 1 ? stride(1, 1) : input.columnStride,
    rowStride: height > 1 ? stride(width, 1) : input.rowStride,
    // elements left out stay where they are: whoever reads gaps would see them
    gaps: plane < input.image[1] * input.image[2] || (together > 1 && channels < input.image[0]) ? 'any' : input.gaps,
  }
  const places = layoutPositions(output)
  // whole ciphertexts: every one of the output is one of the input
  const whole = ciphertexts.filter((_, c) => c % together === 0)
  const isRegular =
    shape.length !== 2 &&
    output.rowStride > 0 &&
    output.columnStride > 0 &&
    positions.every(
      (p, i) => p === whole[Math.floor(places[i]! / input.slots)]! * input.slots + (places[i]! % input.slots),
    )
  const inGroup = channelCiphertexts(input.image[0], input)
  const groups = Array.from({ length: ciphertextGroups(input) }, (_, g) => whole.map((c) => g * inGroup + c))
  if (isRegular) return { output, ciphertexts: groups.flat() }
  throw new UnsupportedError(
    `layer "${name}": [${shape}] made of [${input.shape}] in a channel layout is no choice of whole ciphertexts: use the batch layout, or keep the order until after the next linear layer`,
  )
}
