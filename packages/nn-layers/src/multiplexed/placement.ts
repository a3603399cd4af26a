/**
 * Where a layer may put its output. An output keeps the lattice of its input (a stride widens it, and opens gaps for other
 * channels, ePrint 2021/1688), so that all pixels share their rotations; what is left to choose is the offset of every
 * channel. Features without an image are spread over any set of bits of the slot number: the fewer distinct differences to
 * the input's positions, the fewer diagonals.
 */
import { type MultiplexedLayout, nextPowerOfTwo } from '@he-ml/packing'
import type { LinearMap } from '../linear-map/linear-map.ts'

export interface Placement {
  /** Length of the slot vectors: a power of two. */
  readonly slots: number
  readonly ciphertexts: number
  readonly rowStride: number
  readonly columnStride: number
  /** Offset of each output channel, including ciphertext * slots. */
  readonly offsets: readonly number[]
}

/** Candidates, likely ones first; at least one unless a channel does not fit a ciphertext. */
export function* placements(map: LinearMap, input: MultiplexedLayout, maxSlots: number): Generator<Placement> {
  const [channels, height, width] = map.output
  if (height * width === 1) yield* featurePlacements(channels, finestBit(input), maxSlots)
  else if (fitsLattice(map, input)) yield* imagePlacements(map, input, maxSlots)
  else yield* freshPlacement(channels, height, width, maxSlots)
}

/** Whether the rows of the output end before the next row of the lattice starts: false for wide padding. */
function fitsLattice({ output, window }: LinearMap, { grid }: MultiplexedLayout): boolean {
  const [, height, width] = output
  return height === 1 || (width - 1) * grid.columnStride * window.stride[1] < grid.rowStride * window.stride[0]
}

/** As a fresh image: every row then needs rotations of its own, so only where the lattice has no room. */
function* freshPlacement(channels: number, height: number, width: number, maxSlots: number): Generator<Placement> {
  const rowStride = nextPowerOfTwo(width)
  const size = nextPowerOfTwo((height - 1) * rowStride + width)
  if (size <= maxSlots) yield* blockPlacements({ channels, size, gaps: [0], maxSlots, rowStride, columnStride: 1 })
}

type Lattice = Pick<Placement, 'rowStride' | 'columnStride'>

/** Whether the placement keeps the input's lattice, so that distances depend on channels and taps only. */
export function onLattice(placement: Lattice, { output, window }: LinearMap, { grid }: MultiplexedLayout): boolean {
  const [, height, width] = output
  return (
    (height === 1 || placement.rowStride === grid.rowStride * window.stride[0]) &&
    (width === 1 || placement.columnStride === grid.columnStride * window.stride[1])
  )
}

function* imagePlacements(map: LinearMap, input: MultiplexedLayout, maxSlots: number): Generator<Placement> {
  const [channels, height, width] = map.output
  const rowStride = input.grid.rowStride * map.window.stride[0]
  const columnStride = input.grid.columnStride * map.window.stride[1]
  const inputs = input.grid.channelOffsets
  if (channels <= inputs.length) {
    // in place: depthwise layers and residual branches keep their positions
    const { slots } = input
    const offsets = inputs.slice(0, channels)
    const ciphertexts = Math.floor(Math.max(...offsets) / slots) + 1
    yield { slots, ciphertexts, rowStride, columnStride, offsets }
  }
  const rowExtent = width * columnStride
  const block = nextPowerOfTwo((height - 1) * rowStride + (width - 1) * columnStride + 1)
  const rows = powersUpTo(height > 1 ? rowStride / rowExtent : 1).filter((a) => rowStride % a === 0)
  const columns = powersUpTo(columnStride).filter((b) => columnStride % b === 0)
  for (const size of [block, 2 * block, 4 * block]) {
    if (size > maxSlots) break
    for (const a of rows)
      for (const b of columns) {
        const gaps = gapOffsets(a, rowStride / a, b, columnStride / b).filter(
          (g) => g + (height - 1) * rowStride + (width - 1) * columnStride < size,
        )
        if (gaps.length < a * b) continue
        yield* blockPlacements({ channels, size, gaps, maxSlots, rowStride, columnStride })
      }
  }
}

interface Blocks {
  readonly channels: number
  readonly size: number
  readonly gaps: readonly number[]
  readonly maxSlots: number
  readonly rowStride: number
  readonly columnStride: number
}

/** Channels through the gaps of one block and then the next, and the other way round. */
function* blockPlacements({ channels, size, gaps, maxSlots, rowStride, columnStride }: Blocks): Generator<Placement> {
  const blocks = Math.ceil(channels / gaps.length)
  const slots = Math.min(maxSlots, size * nextPowerOfTwo(blocks))
  const ciphertexts = Math.ceil((blocks * size) / slots)
  const place = (block: number, gap: number): number => block * size + gaps[gap]!
  const common = { slots, ciphertexts, rowStride, columnStride }
  const indices = Array.from({ length: channels }, (_, o) => o)
  yield { ...common, offsets: indices.map((o) => place(Math.floor(o / gaps.length), o % gaps.length)) }
  if (gaps.length > 1 && blocks > 1)
    yield { ...common, offsets: indices.map((o) => place(o % blocks, Math.floor(o / blocks))) }
}

function gapOffsets(a: number, rowStep: number, b: number, columnStep: number): number[] {
  const offsets: number[] = []
  for (let y = 0; y < a; y++) for (let x = 0; x < b; x++) offsets.push(y * rowStep + x * columnStep)
  return offsets
}

/** The lowest bit in which two of the input's positions differ. */
function finestBit({ grid }: MultiplexedLayout): number {
  const { channelOffsets, rowStride, columnStride } = grid
  let bits = channelOffsets.length > 1 ? 0 : rowStride | columnStride
  for (const offset of channelOffsets) bits |= offset ^ channelOffsets[0]!
  return bits === 0 ? 0 : Math.log2(bits & -bits)
}

function* featurePlacements(features: number, finest: number, maxSlots: number): Generator<Placement> {
  const bits = Math.min(Math.log2(nextPowerOfTwo(features)), Math.log2(maxSlots))
  const available = Math.log2(maxSlots)
  const common = { rowStride: 1, columnStride: 1 }
  for (const places of bitSets(bits, finest, available)) {
    const offset = (o: number): number => places.reduce((sum, place, bit) => sum + ((o >> bit) & 1) * 2 ** place, 0)
    const local = Array.from({ length: Math.min(features, maxSlots) }, (_, o) => offset(o))
    const slots = nextPowerOfTwo(Math.max(...local) + 1)
    if (features <= maxSlots) yield { ...common, slots, ciphertexts: 1, offsets: local }
    else {
      const offsets = Array.from({ length: features }, (_, o) => o)
      yield { ...common, slots: maxSlots, ciphertexts: Math.ceil(features / maxSlots), offsets }
    }
  }
}

/** Sets of `count` bits: one run anywhere, or two of which the lower begins at the input's finest bit. */
function* bitSets(count: number, finest: number, available: number): Generator<number[]> {
  const run = (start: number, length: number): number[] => Array.from({ length }, (_, i) => start + i)
  for (let start = 0; start + count <= available; start++) yield run(start, count)
  for (let low = 1; low < count; low++)
    for (let next = finest + low + 1; next + count - low <= available; next++)
      yield [...run(finest, low), ...run(next, count - low)]
}

function powersUpTo(limit: number): number[] {
  const powers = [1]
  while (powers[powers.length - 1]! * 2 <= limit) powers.push(powers[powers.length - 1]! * 2)
  return powers
}

/** The placement of an existing layout of as many channels; undefined for others. */
export function placementOf(layout: MultiplexedLayout, map: LinearMap): Placement | undefined {
  const { slots, ciphertexts, grid } = layout
  const { rowStride, columnStride, channelOffsets } = grid
  if (channelOffsets.length !== map.output[0] || layout.shape.length !== map.outputShape.length) return undefined
  return { slots, ciphertexts, rowStride, columnStride, offsets: channelOffsets }
}
