/**
 * LZ4 frames, read; lz4-compress.ts writes them. (LZ4 frame format 1.6.4 and block format, Y. Collet.) Own code because the
 * packages for it are unmaintained, native, or know only single blocks; tests read and write against the reference tool's
 * output. Checksums of header, blocks and content are verified where a frame has them; dictionaries are refused.
 */
import { DatasetFormatError, DatasetUnsupportedError } from '../../errors.ts'
import { xxHash32 } from './xx-hash-32.ts'

export const LZ4_MAGIC = 0x184d2204

/** 16 magic numbers of frames to pass over. */
const SKIPPABLE = 0x184d2a50

/**
 * The content of all frames, one after the other; skippable frames are passed over.
 * @param limit most bytes accepted
 * @throws DatasetFormatError for anything but whole frames; DatasetUnsupportedError for more bytes than the limit, a dictionary or
 *   another version
 */
export function lz4Decompress(bytes: Uint8Array, limit: number): Uint8Array {
  const reader = new FrameReader(bytes)
  const output = new Output(limit, Math.min(limit, 4 * bytes.length))
  do reader.frame(output, limit)
  while (!reader.isAtEnd)
  return output.bytes
}

class FrameReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** Unpacks the next frame, or passes over it. */
  frame(output: Output, limit: number): void {
    const start = this.#at
    const magic = this.#uint32()
    if ((magic & 0xfffffff0) === SKIPPABLE) {
      const length = this.#uint32()
      this.#take(length)
      return
    }
    if (magic !== LZ4_MAGIC)
      throw broken(
        start === 0 ? 'it does not begin with the frame magic' : `no frame begins at byte ${start}, after the last one`,
      )
    const header = this.#header()
    if (header.size !== undefined && header.size > limit - output.length)
      throw tooMuch(`it holds ${header.size} bytes`, limit)
    output.begin()
    while (this.#block(output, header));
    const content = output.frame
    if (header.hasChecksum && xxHash32(content) !== this.#uint32()) throw broken('the content checksum is wrong')
    if (header.size !== undefined && header.size !== content.length)
      throw broken(`it says ${header.size} bytes and holds ${content.length}`)
  }

  #header(): FrameHeader {
    const start = this.#at
    const [flags, descriptor] = this.#take(2) as unknown as [number, number]
    const hasSize = (flags & 8) !== 0
    const low = hasSize ? this.#uint32() : 0
    const high = hasSize ? this.#uint32() : 0
    const hasDictionary = (flags & 1) !== 0
    if (hasDictionary) this.#take(4)
    const checked = this.#bytes.subarray(start, this.#at)
    if (((xxHash32(checked) >>> 8) & 255) !== this.#take(1)[0]) throw broken('the header checksum is wrong')
    if (flags >> 6 !== 1 || (flags & 2) !== 0) throw unsupported(`flags 0x${flags.toString(16)} are of another version`)
    if (hasDictionary) throw unsupported('it needs a dictionary')
    const blockCode = (descriptor >> 4) & 7
    if (blockCode < 4) throw broken(`block size code ${blockCode} is unknown`)
    return {
      blockLimit: 2 ** (8 + 2 * blockCode),
      hasBlockChecksum: (flags & 16) !== 0,
      hasChecksum: (flags & 4) !== 0,
      size: hasSize ? low + high * 2 ** 32 : undefined,
    }
  }

  /** Unpacks the next block; false when the frame's end mark comes instead. */
  #block(output: Output, { blockLimit, hasBlockChecksum }: FrameHeader): boolean {
    const word = this.#uint32()
    if (word === 0) return false
    const length = word & 0x7fff_ffff
    if (length > blockLimit) throw broken(`a block of ${length} bytes, its header allows ${blockLimit}`)
    const block = this.#take(length)
    const at = this.#at
    if (hasBlockChecksum && xxHash32(block) !== this.#uint32())
      throw broken(`the checksum of the block before byte ${at} is wrong`)
    if (word >= 0x8000_0000) output.append(block, 0, length)
    else decompressBlock(block, output, blockLimit)
    return true
  }

  #uint32(): number {
    const at = this.#at
    this.#take(4)
    return this.#view.getUint32(at, true)
  }

  #take(length: number): Uint8Array {
    const start = this.#at
    if (start + length > this.#bytes.length) throw broken(`cut off at byte ${this.#bytes.length}`)
    this.#at += length
    return this.#bytes.subarray(start, this.#at)
  }
}

interface FrameHeader {
  readonly blockLimit: number
  readonly hasBlockChecksum: boolean
  readonly hasChecksum: boolean
  readonly size: number | undefined
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
  /** Where the current frame's content begins: its matches reach no further back. */
  #start = 0
  length = 0

  constructor(limit: number, guess: number) {
    this.#limit = limit
    this.#bytes = new Uint8Array(Math.max(64, guess))
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  begin(): void {
    this.#start = this.length
  }

  get frame(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.length)
  }

  append(from: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    this.#bytes.set(from.subarray(start, end), this.length)
    this.length += end - start
  }

  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.length - this.#start)
      throw broken(`a match reaches ${distance} bytes back of ${this.length - this.#start}`)
    this.#reserve(length)
    const bytes = this.#bytes
    // source and target may overlap: byte by byte, in order
    for (let i = 0, at = this.length; i < length; i++, at++) bytes[at] = bytes[at - distance]!
    this.length += length
  }

  #reserve(more: number): void {
    const needed = this.length + more
    if (needed > this.#limit) throw tooMuch('it holds more bytes', this.#limit)
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.min(this.#limit, Math.max(needed, 2 * this.#bytes.length)))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

const broken = (how: string) => new DatasetFormatError(`AEDAT 4: LZ4 frame: ${how}`)
const unsupported = (how: string) => new DatasetUnsupportedError(`AEDAT 4: LZ4 frame: ${how}`)
const tooMuch = (how: string, limit: number) => unsupported(`${how}, the limit is ${limit}: raise maxPacketBytes`)
