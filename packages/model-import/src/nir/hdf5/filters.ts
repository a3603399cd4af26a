/** A chunk's way back from the file: checksum, deflate, LZF and shuffle undone, each with every byte accounted for. */
import { inflateSync } from 'node:zlib'
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { unpackLzf } from './lzf.ts'
import type { Filter } from './storage.ts'

/**
 * @param mask bit i: filter i was left out, as writers do where compression would not help
 * @param length bytes of the plain chunk
 * @throws FormatError when a checksum is wrong or the chunk does not unpack to `length` bytes; UnsupportedError when a filter
 *   other than compression was left out
 */
export function unfilter(
  stored: Uint8Array,
  filters: readonly Filter[],
  mask: number,
  length: number,
  where: string,
): Uint8Array {
  let chunk = stored
  // what checksums add, from the inside out: the lengths between the filters follow from the plain one
  const lengths = filters.map((_, i) => length + 4 * filters.slice(0, i).filter(({ id }) => id === 3).length)
  for (let i = filters.length - 1; i >= 0; i--) {
    const { id, name, values } = filters[i]!
    const isCompression = id === 1 || id === 32000
    if (i < 32 && ((mask >>> i) & 1) === 1) {
      if (isCompression) continue
      throw new UnsupportedError(`${where}: a chunk was stored without the filter ${name}: write it plainly`)
    }
    const next = UNDO[id]!(chunk, lengths[i]!, values)
    if (!next)
      throw new FormatError(`${where}: a chunk does not come out of its filter ${name} whole: the file is damaged`)
    chunk = next
  }
  if (mask >>> filters.length !== 0 || chunk.length !== length)
    throw new FormatError(`${where}: a chunk has ${chunk.length} bytes, expected ${length}: the file is damaged`)
  return chunk
}

type Undo = (input: Uint8Array, length: number, values: readonly number[]) => Uint8Array | undefined
const UNDO: Readonly<Record<number, Undo>> = {
  1: inflate,
  2: (input, _, values) => unshuffle(input, values[0] ?? 1),
  3: (input) => checkFletcher32(input),
  32000: unpackLzf,
}

function inflate(input: Uint8Array, length: number): Uint8Array | undefined {
  try {
    const { buffer, engine } = inflateSync(input, { maxOutputLength: Math.max(1, length), info: true }) as unknown as {
      buffer: Uint8Array
      engine: { bytesWritten: number }
    }
    // inflate stops at the end of its stream; what follows would be read by nobody
    return engine.bytesWritten === input.length && buffer.length === length ? buffer : undefined
  } catch {
    return undefined
  }
}

/** Byte j of all elements, then byte j + 1 of all: back to elements; what is left over at the end was not moved. */
function unshuffle(input: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(input.length / Math.max(1, size))
  if (size <= 1 || count <= 1) return input
  const output = new Uint8Array(input)
  for (let j = 0; j < size; j++) for (let i = 0; i < count; i++) output[i * size + j] = input[j * count + i]!
  return output
}

/** The input without its last four bytes, if they are its checksum. */
function checkFletcher32(input: Uint8Array): Uint8Array | undefined {
  if (input.length < 4) return undefined
  const end = input.length - 4
  const stored = new DataView(input.buffer, input.byteOffset + end, 4).getUint32(0, true)
  const chunk = input.subarray(0, end)
  return fletcher32(chunk) === stored ? chunk : undefined
}

/** Fletcher's checksum as HDF5 has it: over big-endian 16-bit words (an odd last byte is the upper half), sums modulo 65535. */
export function fletcher32(bytes: Uint8Array): number {
  let [first, second] = [0, 0]
  for (let i = 0; i < bytes.length; i += 2) {
    first = (first + bytes[i]! * 256 + (bytes[i + 1] ?? 0)) % 65535
    second = (second + first) % 65535
  }
  // the library folds carries instead of taking remainders: a sum that is a multiple of 65535 stays 65535, unless all is zero
  const folded = (sum: number) => (sum === 0 && bytes.some((byte) => byte !== 0) ? 65535 : sum)
  return ((folded(second) << 16) | folded(first)) >>> 0
}
