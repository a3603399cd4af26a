/**
 * Where a dataset's bytes lie (HDF5 File Format Specification 3.0, IV.A.2.i and l): beside its description, in one piece, or in
 * chunks that went through filters. What was never written is refused: HDF5 would hand out fill values for it.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import type { Cursor } from './cursor.ts'

/** One step of a chunk's way to the file. */
export interface Filter {
  readonly id: number
  readonly name: string
  readonly values: readonly number[]
}

export interface ChunkLayout {
  /** Elements along each dimension. */
  readonly shape: readonly number[]
  readonly elementBytes: number
  readonly index:
    | { readonly kind: 'tree' | 'array' | 'implicit'; readonly address: number }
    | { readonly kind: 'single'; readonly address: number; readonly bytes: number | undefined; readonly mask: number }
}

export type Layout =
  | { readonly kind: 'inside'; readonly bytes: Uint8Array }
  | { readonly kind: 'piece'; readonly address: number; readonly length: number }
  | ({ readonly kind: 'chunks' } & ChunkLayout)

/** Filters by their registered number: those read, and those that a reader may meet (The HDF Group, "Registered filters"). */
const NAMES: Readonly<Record<number, string>> = {
  1: 'deflate',
  2: 'shuffle',
  3: 'fletcher32',
  4: 'szip',
  5: 'nbit',
  6: 'scaleoffset',
  307: 'bzip2',
  32000: 'lzf',
  32001: 'blosc',
  32004: 'lz4',
  32008: 'bitshuffle',
  32013: 'zfp',
  32015: 'zstd',
  32017: 'sz',
  32026: 'blosc2',
}
const READ = [1, 2, 3, 32000]

/** @throws UnsupportedError naming the first filter that is not read */
export function readFilters(message: Cursor | undefined): Filter[] {
  if (!message) return []
  const version = message.u8()
  if (version !== 1 && version !== 2) message.fail(`unknown version ${version} of a filter list`)
  const count = message.u8()
  if (version === 1) message.skip(6)
  const filters = Array.from({ length: count }, () => {
    const id = message.u16()
    const nameBytes = version === 1 || id >= 256 ? message.u16() : 0
    message.skip(2)
    const valueCount = message.u16()
    message.skip(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes)
    const values = Array.from({ length: valueCount }, () => message.u32())
    if (version === 1 && valueCount % 2 === 1) message.skip(4)
    return { id, name: NAMES[id] ?? `number ${id}`, values }
  })
  const unknown = filters.find(({ id }) => !READ.includes(id))
  if (unknown)
    throw new UnsupportedError(
      `${message.where}: is stored through the filter ${unknown.name}, which is not read: write it with gzip, lzf or none`,
    )
  return filters
}

/** @throws FormatError; UnsupportedError for layouts that are not read and for data that was never written */
export function readLayout(message: Cursor): Layout {
  const refuse = (what: string): never => {
    throw new UnsupportedError(`${message.where}: ${what}`)
  }
  const version = message.u8()
  if (version < 3) refuse('is laid out as before HDF5 1.6: write the file again with a newer library')
  if (version > 5) refuse(`is laid out in version ${version}, newer than what is read: write it for an older HDF5`)
  const kind = message.u8()
  if (kind === 0) return { kind: 'inside', bytes: message.take(message.u16()) }
  if (kind === 1) {
    const [address, length] = [message.u64(), message.u64()]
    return { kind: 'piece', address: written(address, message), length }
  }
  if (kind === 3) refuse('is a virtual dataset, whose values lie in other files: write it plainly')
  if (kind !== 2) message.fail(`unknown layout ${kind}`)
  return { kind: 'chunks', ...(version === 3 ? treeChunks(message) : indexedChunks(message, version, refuse)) }
}

/** @throws UnsupportedError for an address of nothing */
function written(address: number, { where }: Cursor): number {
  if (address === Number.POSITIVE_INFINITY)
    throw new UnsupportedError(`${where}: was never written, the file has only room for it: write its values`)
  return address
}

function split(sizes: readonly number[], message: Cursor): Pick<ChunkLayout, 'shape' | 'elementBytes'> {
  if (sizes.length < 2 || sizes.length > 9 || sizes.some((size) => size < 1))
    message.fail(`chunks of [${sizes.slice(0, 10)}]`)
  return { shape: sizes.slice(0, -1), elementBytes: sizes.at(-1)! }
}

function treeChunks(message: Cursor): ChunkLayout {
  const rank = message.u8()
  const address = written(message.u64(), message)
  return {
    ...split(
      Array.from({ length: rank }, () => message.u32()),
      message,
    ),
    index: { kind: 'tree', address },
  }
}

function indexedChunks(message: Cursor, version: number, refuse: (what: string) => never): ChunkLayout {
  const flags = message.u8()
  const rank = message.u8()
  const width = message.u8()
  if (width < 1 || width > 8) message.fail(`chunk sizes of ${width} bytes`)
  const sizes = split(
    Array.from({ length: rank }, () => message.uint(width)),
    message,
  )
  if (flags & 1) refuse('leaves its outer chunks unfiltered, which is not read: write it with the default')
  const index = message.u8()
  if (index === 1) {
    const [bytes, mask] = flags & 2 ? [message.u64(), message.u32()] : [undefined, 0]
    return { ...sizes, index: { kind: 'single', bytes, mask, address: written(message.u64(), message) } }
  }
  if (index === 3) message.skip(1)
  else if (index !== 2)
    refuse(`can grow, and its chunks are listed as of HDF5 1.10 (version ${version}): write it with a fixed shape`)
  return { ...sizes, index: { kind: index === 2 ? 'implicit' : 'array', address: written(message.u64(), message) } }
}
