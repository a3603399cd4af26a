/**
 * Elements given new names: no slot moves, so it costs nothing, where the renamed elements lie on a grid again. The layouts of
 * reshaping, of permuted axes and of slices.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import type { Shape } from '@he-ml/model'
import { layoutPositions, type MultiplexedGrid, type MultiplexedLayout, type SlotLayout } from '@he-ml/packing'
import { renameChannels } from './rename-channels.ts'

export interface Renamed {
  readonly output: SlotLayout
  /** Which ciphertexts of the input are those of the output. */
  readonly ciphertexts: readonly number[]
}

export interface Renaming {
  readonly name: string
  readonly shape: Shape
  /** Element of the input that each element of the output is; all different. Absent: the same order. */
  readonly sources?: Int32Array
}

/** @throws UnsupportedError when the elements do not lie on a regular grid within their ciphertexts */
export function renameSlots({ name, shape, sources }: Renaming, input: SlotLayout): Renamed {
  if (input.kind === 'channel') return renameChannels({ name, shape, ...(sources ? { sources } : {}) }, input)
  if (input.kind === 'batch') {
    const ciphertexts = sources ? [...sources] : Array.from({ length: input.ciphertexts }, (_, i) => i)
    return { output: { ...input, shape, ciphertexts: ciphertexts.length }, ciphertexts }
  }
  const all = layoutPositions(input)
  const wanted = sources ? sources.map((s) => all[s]!) : all
  const used = [...new Set(wanted.map((p) => Math.floor(p / input.slots)))].sort((a, b) => a - b)
  const rank = new Map(used.map((c, i) => [c, i]))
  const positions = wanted.map((p) => rank.get(Math.floor(p / input.slots))! * input.slots + (p % input.slots))
  // elements left out stay where they are: whoever reads gaps would see them
  const gaps = wanted.length < all.length ? 'any' : input.grid.gaps
  const grid = gridOf(name, shape, positions, { ...input, grid: { ...input.grid, gaps } })
  return { output: { ...input, shape, ciphertexts: used.length, grid }, ciphertexts: used }
}

function gridOf(name: string, shape: Shape, positions: Int32Array, input: MultiplexedLayout): MultiplexedGrid {
  const { gaps } = input.grid
  if (shape.length === 1) return { rowStride: 1, columnStride: 1, channelOffsets: [...positions], gaps }
  if (shape.length === 3) {
    const [channels, height, width] = shape as [number, number, number]
    const channelOffsets = Array.from({ length: channels }, (_, c) => positions[c * height * width]!)
    const columnStride = width > 1 ? positions[1]! - positions[0]! : 1
    const rowStride = height > 1 ? positions[width]! - positions[0]! : 1
    const grid: MultiplexedGrid = { rowStride, columnStride, channelOffsets, gaps }
    const regular = rowStride > 0 && columnStride > 0
    // window sums rotate within one ciphertext, so a channel may not go on in the next one
    const extent = (height - 1) * rowStride + (width - 1) * columnStride
    const whole = channelOffsets.every((o) => (o % input.slots) + extent < input.slots)
    if (regular && whole && layoutPositions({ ...input, shape, grid }).every((p, i) => p === positions[i])) return grid
  }
  throw new UnsupportedError(
    `layer "${name}": [${shape}] made of [${input.shape}] does not lie on a regular grid of slots: use the batch layout, or keep the shape until after the next linear layer`,
  )
}
