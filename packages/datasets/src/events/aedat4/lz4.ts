/**
 * LZ4 frames, read and written. (LZ4 frame format 1.6.4 and block format, Y. Collet.) Written here because the packages for it
 * are either unmaintained, native, or know only single blocks; tests read and write against the reference tool's output.
 * Checksums of header, blocks and content are verified; dictionaries are refused.
 */
import { DatasetFormatError } from '../../errors.ts'
import { xxHash32 } from './xx-hash-32.ts'

const MAGIC = 0x184d2204
/** Blocks of at most 4 MiB, as the frame format allows; independent of each other. */
const BLOCK_BYTES = 2 ** 22
const LAST_LITERALS = 5
const MATCH_LIMIT = 12
const MAX_DISTANCE = 65_535

/**
 * What an LZ4 frame holds.
 * @param limit most bytes accepted
 * @throws DatasetFormatError for anything but exactly one whole frame
 */
export function lz4Decompress(bytes: Uint8Array, limit: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const need = (at: number, length: number) => {
    if (at + length > bytes.length) throw broken(`cut off at byte ${bytes.length}`)
  }
  need(0, 7)
  if (view.getUint32(0, true) !== MAGIC) throw broken('it does not begin with the frame magic')
  const flags = bytes[4]!
  if (flags >> 6 !== 1 || (flags & 2) !== 0) throw broken(`flags 0x${flags.toString(16)} are of another version`)
  if (flags & 1) throw broken('it needs a dictionary')
  const [hasBlockChecksum, hasSize, hasChecksum] = [(flags & 16) !== 0, (flags & 8) !== 0, (flags & 4) !== 0]
  const blockCode = (bytes[5]! >> 4) & 7
  if (blockCode < 4) throw broken(`block size code ${blockCode} is unknown`)
  const blockLimit = 2 ** (8 + 2 * blockCode)
  let at = hasSize ? 14 : 6
  need(at, 1)
  if (((xxHash32(bytes.subarray(4, at)) >>> 8) & 255) !== bytes[at]) throw broken('the header checksum is wrong')
  const declared = hasSize ? view.getUint32(6, true) + view.getUint32(10, true) * 2 ** 32 : undefined
  if (declared !== undefined && declared > limit) throw broken(`it holds ${declared} bytes, the limit is ${limit}`)
  at++
  const output = new Output(limit, Math.min(limit, declared ?? 4 * bytes.length))
  for (;;) {
    need(at, 4)
    const word = view.getUint32(at, true)
    at += 4
    if (word === 0) break
    const length = word & 0x7fff_ffff
    if (length > blockLimit) throw broken(`a block of ${length} bytes, its header allows ${blockLimit}`)
    need(at, length + (hasBlockChecksum ? 4 : 0))
    const block = bytes.subarray(at, at + length)
    at += length
    if (hasBlockChecksum) {
      if (xxHash32(block) !== view.getUint32(at, true))
        throw broken(`the checksum of the block before byte ${at} is wrong`)
      at += 4
    }
    if (word >= 0x8000_0000) output.append(block, 0, length)
    else decompressBlock(block, output, blockLimit)
  }
  const content = output.bytes
  if (hasChecksum) {
    need(at, 4)
    if (xxHash32(content) !== view.getUint32(at, true)) throw broken('the content checksum is wrong')
    at += 4
  }
  if (at !== bytes.length) throw broken(`${bytes.length - at} bytes after its end`)
  if (declared !== undefined && declared !== content.length)
    throw broken(`it says ${declared} bytes and holds ${content.length}`)
  return content
}

function decompressBlock(block: Uint8Array, output: Output, blockLimit: number): void {
  const end = output.length + blockLimit
  let at = 0
  const lengthOf = (nibble: number) => {
    let length = nibble
    if (nibble === 15)
      for (;;) {
        const byte = block[at++]
        if (byte === undefined) throw broken('a length is cut off')
        length += byte
        if (byte < 255) break
      }
    return length
  }
  for (;;) {
    const token = block[at++]
    if (token === undefined) throw broken('a block ends without literals')
    const literals = lengthOf(token >> 4)
    if (at + literals > block.length) throw broken('literals are cut off')
    output.append(block, at, at + literals)
    at += literals
    if (at === block.length) break
    if (at + 2 > block.length) throw broken('a match is cut off')
    const distance = block[at]! | (block[at + 1]! << 8)
    at += 2
    output.repeat(distance, lengthOf(token & 15) + 4)
    if (output.length > end) throw broken('a block holds more than its header allows')
  }
}

/** Grows up to a limit. */
class Output {
  readonly #limit: number
  #bytes: Uint8Array
  length = 0

  constructor(limit: number, guess: number) {
    this.#limit = limit
    this.#bytes = new Uint8Array(Math.max(64, guess))
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  append(from: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    this.#bytes.set(from.subarray(start, end), this.length)
    this.length += end - start
  }

  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.length)
      throw broken(`a match reaches ${distance} bytes back of ${this.length}`)
    this.#reserve(length)
    const bytes = this.#bytes
    // source and target may overlap: byte by byte, in order
    for (let i = 0, at = this.length; i < length; i++, at++) bytes[at] = bytes[at - distance]!
    this.length += length
  }

  #reserve(more: number): void {
    const needed = this.length + more
    if (needed > this.#limit) throw broken(`it holds more than ${this.#limit} bytes, the limit`)
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.min(this.#limit, Math.max(needed, 2 * this.#bytes.length)))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

const broken = (how: string) => new DatasetFormatError(`AEDAT 4: LZ4 frame: ${how}`)

/** One LZ4 frame, independent blocks, content checksum. Greedy matching: quick, about as small as the reference's fast mode. */
export function lz4Compress(bytes: Uint8Array): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES)
    blocks.push(compressBlock(bytes.subarray(at, at + BLOCK_BYTES)))
  const frame = new Uint8Array(15 + blocks.reduce((sum, b) => sum + 4 + b.length, 0))
  const view = new DataView(frame.buffer)
  view.setUint32(0, MAGIC, true)
  // version 1, independent blocks, content checksum; blocks of up to 4 MiB
  frame[4] = 0x64
  frame[5] = 0x70
  frame[6] = (xxHash32(frame.subarray(4, 6)) >>> 8) & 255
  let at = 7
  blocks.forEach((block, i) => {
    const plain = bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)
    const stored = block.length >= plain.length ? plain : block
    view.setUint32(at, stored.length + (stored === plain ? 0x8000_0000 : 0), true)
    frame.set(stored, at + 4)
    at += 4 + stored.length
  })
  view.setUint32(at, 0, true)
  view.setUint32(at + 4, xxHash32(bytes), true)
  return frame.subarray(0, at + 8)
}

function compressBlock(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const output = new Uint8Array(bytes.length + Math.ceil(bytes.length / 255) + 16)
  const table = new Int32Array(2 ** 14).fill(-1)
  let [at, anchor, out] = [0, 0, 0]
  const writeLength = (length: number) => {
    for (let left = length - 15; left >= 0; left -= 255) output[out++] = Math.min(255, left)
  }
  const writeSequence = (end: number, match: number) => {
    const literals = end - anchor
    output[out++] = (Math.min(15, literals) << 4) | (match < 0 ? 0 : Math.min(15, match))
    writeLength(literals)
    output.set(bytes.subarray(anchor, end), out)
    out += literals
  }
  while (at < bytes.length - MATCH_LIMIT) {
    const word = view.getUint32(at, true)
    const hash = Math.imul(word, 2654435761) >>> 18
    const candidate = table[hash]!
    table[hash] = at
    if (candidate < 0 || at - candidate > MAX_DISTANCE || view.getUint32(candidate, true) !== word) {
      at++
      continue
    }
    let length = 4
    const most = bytes.length - LAST_LITERALS - at
    while (length < most && bytes[candidate + length] === bytes[at + length]) length++
    writeSequence(at, length - 4)
    output[out++] = (at - candidate) & 255
    output[out++] = (at - candidate) >> 8
    writeLength(length - 4)
    at += length
    anchor = at
  }
  writeSequence(bytes.length, -1)
  return output.subarray(0, out)
}
