/** Layouts come back from plans and files as unknown JSON: every field is checked before anything is allocated. */
import { FormatError } from '@he-ml/ckks-core'
import { sizeOf } from '@he-ml/model'
import { isPowerOfTwo, MOST_SUB_BATCHES } from './create-layout.ts'
import { channelCiphertexts, ciphertextGroups, imageShift, layoutPositions } from './layout-positions.ts'
import type { BatchLayout, ChannelLayout, Gaps, MultiplexedLayout, SlotLayout } from './slot-layout.ts'

const MAX_SLOTS = 2 ** 16
const MAX_ELEMENTS = 2 ** 24

type Fields = Record<string, unknown>

/**
 * A layout from JSON; `JSON.stringify(layout)` is the reverse.
 *
 * @throws FormatError that names the field, for anything that no layout of ours can be
 * @example
 * ```ts
 * import { createMultiplexedLayout, parseLayout } from '@he-ml/packing'
 * const layout = createMultiplexedLayout([3, 32, 32], { maxSlots: 16384 })
 * console.log(parseLayout(JSON.parse(JSON.stringify(layout))).slots) // 4096
 * ```
 */
export function parseLayout(json: unknown): SlotLayout {
  const fields = object(json, 'layout')
  if (fields.kind === 'multiplexed') return multiplexed(fields)
  if (fields.kind === 'batch') return batch(fields)
  if (fields.kind === 'channel') return channel(fields)
  throw new FormatError(`layout.kind: expected "multiplexed", "batch" or "channel", got ${JSON.stringify(fields.kind)}`)
}

function multiplexed(fields: Fields): MultiplexedLayout {
  only(fields, ['kind', 'shape', 'slots', 'period', 'ciphertexts', 'grid'], 'layout')
  const shape = shapeOf(fields.shape, { ranks: [1, 3] })
  const slots = powerOfTwo(fields.slots, 'layout.slots')
  const period = powerOfTwo(fields.period, 'layout.period')
  const ciphertexts = integer(fields.ciphertexts, 'layout.ciphertexts', 1, MAX_ELEMENTS)
  if (period > slots || (period < slots && ciphertexts > 1))
    throw new FormatError(`layout.period: ${period} does not fit ${ciphertexts} ciphertexts of ${slots} slots`)
  const grid = object(fields.grid, 'layout.grid')
  only(grid, ['rowStride', 'columnStride', 'channelOffsets', 'gaps'], 'layout.grid')
  const rowStride = integer(grid.rowStride, 'layout.grid.rowStride', 1, MAX_SLOTS)
  const columnStride = integer(grid.columnStride, 'layout.grid.columnStride', 1, MAX_SLOTS)
  const gaps = gapsOf(grid.gaps, 'layout.grid.gaps')
  const { channelOffsets } = grid
  if (!Array.isArray(channelOffsets) || channelOffsets.length !== shape[0])
    throw new FormatError(`layout.grid.channelOffsets: expected ${shape[0]} offsets`)
  const offsets = channelOffsets.map((o, c) =>
    integer(o, `layout.grid.channelOffsets[${c}]`, 0, ciphertexts * slots - 1),
  )
  const layout: MultiplexedLayout = {
    kind: 'multiplexed',
    shape,
    slots,
    period,
    ciphertexts,
    grid: { rowStride, columnStride, channelOffsets: offsets, gaps },
  }
  checkPositions(layout, period < slots ? period : ciphertexts * slots)
  return layout
}

function batch(fields: Fields): BatchLayout {
  only(fields, ['kind', 'shape', 'slots', 'ciphertexts'], 'layout')
  const shape = shapeOf(fields.shape)
  const ciphertexts = integer(fields.ciphertexts, 'layout.ciphertexts', 1, MAX_ELEMENTS)
  if (ciphertexts !== sizeOf(shape))
    throw new FormatError(`layout.ciphertexts: a batch of [${shape}] has ${sizeOf(shape)}, got ${ciphertexts}`)
  return { kind: 'batch', shape, slots: powerOfTwo(fields.slots, 'layout.slots'), ciphertexts }
}

const CHANNEL_FIELDS =
  'kind shape image slots ciphertexts images subBatches subBatchOffsets rowStride columnStride channelOffsets gaps'.split(
    ' ',
  )
const MAX_TOGETHER = 1024

function channel(fields: Fields): ChannelLayout {
  only(fields, CHANNEL_FIELDS, 'layout')
  const shape = shapeOf(fields.shape)
  const image = shapeOf(fields.image, { where: 'layout.image', ranks: [3] }) as [number, number, number]
  if (sizeOf(image) !== sizeOf(shape))
    throw new FormatError(`layout.image: [${image}] has another number of elements than the shape [${shape}]`)
  const channelOffsets = offsetsOf(fields.channelOffsets, 'layout.channelOffsets')
  const subBatchOffsets = offsetsOf(fields.subBatchOffsets, 'layout.subBatchOffsets')
  const subBatches = integer(fields.subBatches, 'layout.subBatches', 1, MOST_SUB_BATCHES)
  const groups = ciphertextGroups({ subBatches, subBatchOffsets })
  if (!Number.isInteger(groups))
    throw new FormatError(`layout.subBatchOffsets: ${subBatchOffsets.length} do not divide ${subBatches} sub-batches`)
  const count = groups * channelCiphertexts(image[0], { channelOffsets })
  const layout: ChannelLayout = {
    kind: 'channel',
    shape,
    image,
    slots: powerOfTwo(fields.slots, 'layout.slots'),
    ciphertexts: integer(fields.ciphertexts, 'layout.ciphertexts', count, count),
    images: powerOfTwo(fields.images, 'layout.images'),
    subBatches,
    subBatchOffsets,
    rowStride: integer(fields.rowStride, 'layout.rowStride', 1, MAX_SLOTS),
    columnStride: integer(fields.columnStride, 'layout.columnStride', 1, MAX_SLOTS),
    channelOffsets,
    gaps: gapsOf(fields.gaps, 'layout.gaps'),
  }
  const extent = (image[1] - 1) * layout.rowStride + (image[2] - 1) * layout.columnStride + 1
  const last = (Math.max(...subBatchOffsets) + Math.max(...channelOffsets) + extent) * layout.images
  if (last > layout.slots)
    throw new FormatError(`layout: [${image}] with ${layout.images} images needs ${last} slots, got ${layout.slots}`)
  checkPositions(layout, layout.ciphertexts * layout.slots)
  return layout
}

/** The first channel, or sub-batch, of a ciphertext begins in its first slot. */
function offsetsOf(value: unknown, where: string): number[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TOGETHER || value[0] !== 0)
    throw new FormatError(`${where}: expected a list of 1 to ${MAX_TOGETHER} offsets, the first of them 0`)
  return value.map((offset, i) => integer(offset, `${where}[${i}]`, 0, MAX_SLOTS))
}

function checkPositions(layout: SlotLayout, end: number): void {
  const seen = new Set<number>()
  const positions = layoutPositions(layout)
  for (const shift of sharedShifts(layout))
    for (const first of positions) {
      const p = first + shift
      if (p >= end) throw new FormatError(`layout: an element lies at ${p}, beyond the ${end} places there are`)
      if (seen.has(p)) throw new FormatError(`layout: two elements lie at ${p}`)
      seen.add(p)
    }
}

/** Of the images that could meet: one of each sub-batch of a ciphertext. */
const sharedShifts = (layout: SlotLayout): readonly number[] =>
  layout.kind === 'channel' ? layout.subBatchOffsets.map((_, s) => imageShift(layout, s * layout.images)) : [0]

function object(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FormatError(`${where}: expected an object`)
  return value as Fields
}

function only(fields: Fields, names: readonly string[], where: string): void {
  for (const name of Object.keys(fields))
    if (!names.includes(name)) throw new FormatError(`${where}: unknown field ${JSON.stringify(name)}`)
}

function integer(value: unknown, where: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw new FormatError(`${where}: expected an integer from ${min} to ${max}, got ${JSON.stringify(value)}`)
  return value
}

function powerOfTwo(value: unknown, where: string): number {
  const n = integer(value, where, 1, MAX_SLOTS)
  if (!isPowerOfTwo(n)) throw new FormatError(`${where}: expected a power of two, got ${n}`)
  return n
}

function gapsOf(value: unknown, where: string): Gaps {
  if (value === 'zero' || value === 'bounded' || value === 'any') return value
  throw new FormatError(`${where}: expected "zero", "bounded" or "any", got ${JSON.stringify(value)}`)
}

interface ShapeRules {
  readonly where?: string
  readonly ranks?: readonly number[]
}

function shapeOf(value: unknown, { where = 'layout.shape', ranks }: ShapeRules = {}): number[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 8)
    throw new FormatError(`${where}: expected a list of 1 to 8 sizes`)
  const shape = value.map((d, i) => integer(d, `${where}[${i}]`, 1, MAX_ELEMENTS))
  if (sizeOf(shape) > MAX_ELEMENTS) throw new FormatError(`${where}: [${shape}] has more than 2^24 elements`)
  if (ranks && !ranks.includes(shape.length))
    throw new FormatError(`${where}: expected rank ${ranks.join(' or ')}, got [${shape}]`)
  return shape
}
