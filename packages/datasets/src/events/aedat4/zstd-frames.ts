/**
 * The outside of zstd data (RFC 8878, section 3.1): frames one after the other, skippable ones between them; in a frame a header,
 * blocks with a length each, and a checksum where the header says so. Walking it says where every frame ends and how much it can
 * hold, before anything is unpacked.
 */
import { DatasetFormatError, DatasetUnsupportedError } from '../../errors.ts'

const MAGIC = 0xfd2fb528
/** 16 magic numbers of frames to pass over. */
const SKIPPABLE = 0x184d2a50
/** Sizes in bytes of the content size field by its flag; 1 for flag 0 of a single segment. */
const SIZE_BYTES = [0, 2, 4, 8]
const DICTIONARY_BYTES = [0, 1, 2, 4]
const MOST_IN_BLOCK = 2 ** 17

/** One frame with content. */
export interface ZstdFrame {
  /** All of its blocks with their headers. */
  readonly blocks: Uint8Array
  /** Bytes of content that the header states; undefined where it does not. */
  readonly size: number | undefined
  readonly blockCount: number
  /** Most bytes of content that its blocks can hold. */
  readonly most: number
  /** So far back may a block refer. */
  readonly window: number
  /** Low half of the content's XXH64; undefined where the frame has none. */
  readonly checksum: number | undefined
}

/**
 * @throws DatasetFormatError for data that are not whole frames; DatasetUnsupportedError for a frame that needs a dictionary
 */
export function* zstdFrames(bytes: Uint8Array): Generator<ZstdFrame> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length === 0) throw brokenZstd('it is empty')
  for (let at = 0; at < bytes.length; ) {
    need(bytes, at, 4)
    const magic = view.getUint32(at, true)
    if ((magic & 0xfffffff0) === SKIPPABLE) {
      need(bytes, at, 8)
      const length = view.getUint32(at + 4, true)
      need(bytes, at + 8, length)
      at += 8 + length
      continue
    }
    if (magic !== MAGIC)
      throw brokenZstd(
        at === 0 ? 'it does not begin with the frame magic' : `no frame begins at byte ${at}, after the last one`,
      )
    const header = readHeader(bytes, view, at + 4)
    const blocks = walkBlocks(bytes, header.end, header.mostInBlock)
    need(bytes, blocks.end, header.hasChecksum ? 4 : 0)
    yield {
      blocks: bytes.subarray(header.end, blocks.end),
      blockCount: blocks.count,
      size: header.size,
      window: header.window,
      most: blocks.most,
      checksum: header.hasChecksum ? view.getUint32(blocks.end, true) : undefined,
    }
    at = blocks.end + (header.hasChecksum ? 4 : 0)
  }
}

function readHeader(bytes: Uint8Array, view: DataView, at: number) {
  need(bytes, at, 2)
  const descriptor = bytes[at]!
  if ((descriptor & 8) !== 0) throw brokenZstd(`the reserved bit of the header at byte ${at} is set`)
  if (dictionaryOf(bytes, view, at, descriptor) !== 0)
    throw new DatasetUnsupportedError('AEDAT 4: zstd frame: it needs a dictionary')
  const isSingle = (descriptor & 32) !== 0
  const flag = descriptor >> 6
  const length = flag === 0 && isSingle ? 1 : SIZE_BYTES[flag]!
  const sizeAt = at + 1 + (isSingle ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]!
  need(bytes, sizeAt, length)
  const size = contentSize(view, sizeAt, length)
  const window = isSingle ? size! : windowSize(bytes[at + 1]!)
  return {
    end: sizeAt + length,
    size,
    window,
    mostInBlock: Math.min(MOST_IN_BLOCK, window),
    hasChecksum: (descriptor & 4) !== 0,
  }
}

/** Number of the dictionary; 0 means none. */
function dictionaryOf(bytes: Uint8Array, view: DataView, at: number, descriptor: number): number {
  const start = at + 1 + ((descriptor & 32) !== 0 ? 0 : 1)
  const length = DICTIONARY_BYTES[descriptor & 3]!
  need(bytes, start, length)
  if (length === 0) return 0
  return length === 1 ? bytes[start]! : length === 2 ? view.getUint16(start, true) : view.getUint32(start, true)
}

function contentSize(view: DataView, at: number, length: number): number | undefined {
  if (length === 0) return undefined
  if (length === 1) return view.getUint8(at)
  if (length === 2) return view.getUint16(at, true) + 256
  const low = view.getUint32(at, true)
  return length === 4 ? low : low + view.getUint32(at + 4, true) * 2 ** 32
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function walkBlocks(bytes: Uint8Array, start: number, mostInBlock: number) {
  let [count, most] = [0, 0]
  for (let at = start; ; ) {
    need(bytes, at, 3)
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
    const [isLast, type, size] = [(word & 1) !== 0, (word >> 1) & 3, word >> 3]
    if (type === 3) throw brokenZstd(`the block at byte ${at} is of an unknown type`)
    if (size > mostInBlock)
      throw brokenZstd(`the block at byte ${at} has ${size} bytes, its frame allows ${mostInBlock}`)
    // a repeated byte is stored once
    const stored = type === 1 ? 1 : size
    need(bytes, at + 3, stored)
    most += type === 2 ? mostInBlock : size
    count++
    at += 3 + stored
    if (isLast) return { end: at, count, most }
  }
}

function need(bytes: Uint8Array, at: number, length: number): void {
  if (at + length > bytes.length) throw brokenZstd(`it is cut off at byte ${bytes.length}`)
}

export const brokenZstd = (how: string, cause?: unknown): DatasetFormatError =>
  new DatasetFormatError(`AEDAT 4: zstd frame: ${how}`, cause === undefined ? {} : { cause })
