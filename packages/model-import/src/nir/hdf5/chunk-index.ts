/**
 * All chunks of a dataset, by the index that the file has: a B-tree of version 1 (HDF5's default), one chunk, a fixed array
 * or no index at all (File Format Specification 3.0, III.A.1 and VII). Each place must have one chunk of its own: HDF5 would
 * take fill values for missing ones, and in the B-tree no checksum would tell that its entries were changed.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import { Cursor } from './cursor.ts'
import { fixedArray } from './fixed-array.ts'
import type { ChunkLayout } from './storage.ts'
import type { StoredChunk } from './stored-chunk.ts'

/** How many chunks lie along each dimension. */
export function chunkGrid(shape: readonly number[], layout: ChunkLayout): number[] {
  return shape.map((size, i) => Math.ceil(size / layout.shape[i]!))
}

/**
 * The chunks in row-major order of their places.
 * @param isFiltered whether chunks go through filters
 * @throws FormatError for a damaged index; UnsupportedError when a chunk was never written
 */
export function listChunks(
  bytes: Uint8Array,
  layout: ChunkLayout,
  grid: readonly number[],
  isFiltered: boolean,
  where: string,
): StoredChunk[] {
  const count = product(grid)
  const plainBytes = product(layout.shape) * layout.elementBytes
  const { index } = layout
  let chunks: (StoredChunk | undefined)[]
  if (index.kind === 'tree') chunks = readTree(bytes, layout, grid, where)
  else if (index.kind === 'array')
    chunks = fixedArray(bytes, index.address, count, isFiltered ? undefined : plainBytes, where)
  else if (index.kind === 'single')
    chunks = [{ address: index.address, bytes: index.bytes ?? plainBytes, mask: index.mask }]
  else
    chunks = Array.from({ length: count }, (_, i) => ({
      address: index.address + i * plainBytes,
      bytes: plainBytes,
      mask: 0,
    }))
  return checked(bytes, chunks, count, where)
}

function checked(
  bytes: Uint8Array,
  chunks: readonly (StoredChunk | undefined)[],
  count: number,
  where: string,
): StoredChunk[] {
  const there: StoredChunk[] = []
  for (let i = 0; i < count; i++) {
    const chunk = chunks[i]
    if (!chunk || chunk.address === Number.POSITIVE_INFINITY)
      throw new UnsupportedError(`${where}: chunk ${i} of ${count} was never written: write all its values`)
    there.push(chunk)
  }
  let end = 0
  for (const { address, bytes: length } of [...there].sort((a, b) => a.address - b.address)) {
    const cursor = new Cursor(bytes, address, length, where)
    if (address < end) cursor.fail(`two chunks share byte ${address}`)
    end = cursor.end
  }
  return there
}

function readTree(bytes: Uint8Array, layout: ChunkLayout, grid: readonly number[], where: string) {
  const chunks: (StoredChunk | undefined)[] = []
  // a tree that leads back to itself would take for ever
  const seen = new Set<number>()
  const visit = (address: number, level: number | undefined): void => {
    const cursor = new Cursor(bytes, address, bytes.length - address, where)
    if (seen.has(address)) cursor.fail('a tree of chunks leads to one node twice')
    seen.add(address)
    cursor.expect('TREE')
    if (cursor.u8() !== 1) cursor.fail('expected a tree of chunks')
    const own = cursor.u8()
    if (level !== undefined && own !== level) cursor.fail(`expected level ${level} of a tree, got ${own}`)
    const entries = cursor.u16()
    cursor.skip(16)
    for (let i = 0; i < entries; i++) {
      const [size, mask] = [cursor.u32(), cursor.u32()]
      const offsets = Array.from({ length: grid.length + 1 }, () => cursor.u64())
      const child = cursor.u64()
      if (own > 0) {
        visit(child, own - 1)
        continue
      }
      const place = placeOf(offsets, layout, grid)
      if (place === undefined || chunks[place]) cursor.fail(`a chunk lies at [${offsets}]`)
      chunks[place!] = { address: child, bytes: size, mask }
    }
  }
  visit((layout.index as { address: number }).address, undefined)
  return chunks
}

function placeOf(offsets: readonly number[], layout: ChunkLayout, grid: readonly number[]): number | undefined {
  if (offsets.at(-1) !== 0) return undefined
  let place = 0
  for (const [i, count] of grid.entries()) {
    const at = offsets[i]! / layout.shape[i]!
    if (!Number.isInteger(at) || at >= count) return undefined
    place = place * count + at
  }
  return place
}

export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1)
