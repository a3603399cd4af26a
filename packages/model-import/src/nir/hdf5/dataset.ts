/** One dataset of an HDF5 file as an array: described by its object header, read by its layout. */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { chunkGrid, listChunks, product } from './chunk-index.ts'
import { Cursor } from './cursor.ts'
import { type ElementType, readElementType, readShape } from './element-type.ts'
import { unfilter } from './filters.ts'
import { MESSAGE, type Messages, readMessages } from './object-header.ts'
import { type ChunkLayout, type Filter, readFilters, readLayout } from './storage.ts'
import { decodeText, readTexts } from './text-heap.ts'
import type { HdfArray } from './tree.ts'

/** What may still be unpacked of a file. */
export interface Budget {
  values: number
}

/** Longest text of one value, in bytes. */
const MAX_TEXT = 10_000

/**
 * @param address of its object header
 * @param budget is lowered by the values read
 * @throws FormatError for damage; UnsupportedError for what is sound and not read
 */
export function readDataset(bytes: Uint8Array, address: number, budget: Budget, where: string): HdfArray {
  const messages = readMessages(bytes, address, where)
  const shape = readShape(message(messages, MESSAGE.dataspace, where))
  if (!shape) throw new UnsupportedError(`${where}: has no shape (a null dataspace): write an array`)
  const type = readElementType(message(messages, MESSAGE.datatype, where))
  if (messages.has(MESSAGE.externalFiles))
    throw new UnsupportedError(`${where}: its values lie in other files: write them into this one`)
  const filters = readFilters(messages.get(MESSAGE.filters))
  const count = product(shape)
  spend(budget, count, shape, where)
  if (count === 0) return type.kind === 'texts' ? { shape, kind: 'text', data: [] } : empty(shape, type.kind)
  const layout = readLayout(message(messages, MESSAGE.layout, where))
  const length = count * type.size
  let data: Uint8Array
  if (layout.kind === 'chunks') data = readChunks(bytes, layout, { shape, type, filters }, budget, where)
  else {
    const there = layout.kind === 'inside' ? layout.bytes.length : layout.length
    if (there !== length)
      throw new FormatError(`${where}: has ${there} bytes, [${shape}] needs ${length}: the file is damaged`)
    data = layout.kind === 'inside' ? layout.bytes : new Cursor(bytes, layout.address, length, where).take(length)
  }
  return values(bytes, data, shape, type, where)
}

function message(messages: Messages, kind: number, where: string): Cursor {
  const found = messages.get(kind)
  if (!found) throw new FormatError(`${where}: its header has no message of type ${kind}: the file is damaged`)
  return found
}

function spend(budget: Budget, count: number, shape: readonly number[], where: string): void {
  if (!(count <= budget.values))
    throw new UnsupportedError(
      `${where}: is [${shape}]: more values than the limit of ${budget.values} left: raise maxValues`,
    )
  budget.values -= count
}

const empty = (shape: readonly number[], kind: 'int' | 'float' | 'text'): HdfArray => ({ shape, kind, data: [] })

function readChunks(
  bytes: Uint8Array,
  layout: ChunkLayout,
  of: { readonly shape: readonly number[]; readonly type: ElementType; readonly filters: readonly Filter[] },
  budget: Budget,
  where: string,
): Uint8Array {
  const { shape, type, filters } = of
  const chunkLength = product(layout.shape) * type.size
  if (layout.shape.length !== shape.length || layout.elementBytes !== type.size)
    throw new FormatError(`${where}: chunks of [${layout.shape}] do not fit [${shape}]: the file is damaged`)
  const grid = chunkGrid(shape, layout)
  // chunks at the edge hold more than the array does
  spend(budget, product(grid) * product(layout.shape) - product(shape), shape, where)
  const output = new Uint8Array(product(shape) * type.size)
  const place = grid.map(() => 0)
  for (const { address, bytes: stored, mask } of listChunks(bytes, layout, grid, filters.length > 0, where)) {
    const chunk = unfilter(bytes.subarray(address, address + stored), filters, mask, chunkLength, where)
    copyChunk(chunk, place, layout.shape, output, shape, type.size)
    for (let i = grid.length - 1; i >= 0 && ++place[i]! === grid[i]; i--) place[i] = 0
  }
  return output
}

/** Row by row along the last dimension; what lies beyond the array's edge is left out. */
function copyChunk(
  chunk: Uint8Array,
  place: readonly number[],
  chunkShape: readonly number[],
  output: Uint8Array,
  shape: readonly number[],
  size: number,
): void {
  const last = shape.length - 1
  const start = place.map((at, i) => at * chunkShape[i]!)
  const inside = shape.map((length, i) => Math.min(chunkShape[i]!, length - start[i]!))
  const row = inside[last]! * size
  const at = shape.map(() => 0)
  const rows = product(inside.slice(0, -1))
  for (let r = 0; r < rows; r++) {
    let [from, to] = [0, 0]
    for (let i = 0; i <= last; i++) {
      from = from * chunkShape[i]! + at[i]!
      to = to * shape[i]! + start[i]! + at[i]!
    }
    output.set(chunk.subarray(from * size, from * size + row), to * size)
    for (let i = last - 1; i >= 0 && ++at[i]! === inside[i]; i--) at[i] = 0
  }
}

function values(
  file: Uint8Array,
  data: Uint8Array,
  shape: readonly number[],
  type: ElementType,
  where: string,
): HdfArray {
  if (type.kind === 'texts') return { shape, kind: 'text', data: readTexts(file, data, MAX_TEXT, where) }
  const count = data.length / type.size
  if (!('get' in type)) {
    if (type.size > MAX_TEXT)
      throw new UnsupportedError(`${where}: holds texts of ${type.size} bytes, the limit is ${MAX_TEXT}: shorten them`)
    const texts = Array.from({ length: count }, (_, i) =>
      decodeText(data.subarray(i * type.size, (i + 1) * type.size), where),
    )
    return { shape, kind: 'text', data: texts }
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const numbers = new Array<number>(count)
  for (let i = 0; i < count; i++) numbers[i] = type.get(view, i * type.size)
  if (type.kind === 'int' && !numbers.every(Number.isSafeInteger))
    throw new UnsupportedError(`${where}: holds integers beyond 2^53: write smaller ones`)
  return { shape, kind: type.kind, data: numbers }
}
