/**
 * What zstd data hold. The blocks are unpacked by fzstd; all around them is checked here, because fzstd passes over content
 * checksums, does not compare the content's size with the header's, and takes as much memory as a header asks for.
 */
import { Decompress } from 'fzstd'
import { DatasetUnsupportedError } from '../../errors.ts'
import { xxHash64 } from './xx-hash-64.ts'
import { brokenZstd, type ZstdFrame, zstdFrames } from './zstd-frames.ts'

/** Bytes that windows may move in all, some five seconds; 64 MiB in full blocks with a window of 8 MiB move 2^32. */
const MOST_MOVED = 2 ** 35

/**
 * The content of all frames, one after the other; skippable frames are passed over. A frame need not say how many bytes it holds.
 * Checksums are verified where there are any; without one, damage that can still be unpacked is not seen.
 * @param limit most bytes accepted
 * @throws DatasetFormatError for broken data; DatasetUnsupportedError for more bytes than the limit, or a dictionary
 */
export function zstdDecompress(bytes: Uint8Array, limit: number): Uint8Array {
  const parts: Uint8Array[] = []
  let length = 0
  for (const frame of zstdFrames(bytes)) {
    const content = unpack(frame, limit - length)
    if (frame.checksum !== undefined && xxHash64(content).low !== frame.checksum)
      throw brokenZstd('the content checksum is wrong')
    parts.push(content)
    length += content.length
  }
  return parts.length === 1 ? parts[0]! : joined(parts, length)
}

function unpack(frame: ZstdFrame, limit: number): Uint8Array {
  const { size, most } = frame
  if (size !== undefined && size > limit) throw tooMuch(`it holds ${size} bytes`, limit)
  if (size !== undefined && size > most) throw brokenZstd(`it says ${size} bytes and holds at most ${most}`)
  const parts: Uint8Array[] = []
  let length = 0
  const decoder = new Decompress((part) => {
    length += part.length
    if (length > limit) throw tooMuch('it holds more bytes', limit)
    parts.push(part)
  })
  try {
    decoder.push(withOwnHeader(frame, limit), true)
  } catch (cause) {
    if (cause instanceof DatasetUnsupportedError) throw cause
    throw brokenZstd(cause instanceof Error ? cause.message : String(cause), cause)
  }
  if (size !== undefined && length !== size) throw brokenZstd(`it says ${size} bytes and holds ${length}`)
  return joined(parts, length)
}

/**
 * The blocks as a frame without size and checksum. Its window, which fzstd allocates and moves once per block, is no larger than
 * what the blocks can hold, and no smaller than a block.
 */
function withOwnHeader({ blocks, blockCount, window, most }: ZstdFrame, limit: number): Uint8Array {
  const wanted = Math.min(window, most, limit)
  let exponent = 17
  while (2 ** exponent < wanted) exponent++
  if (blockCount * 2 ** exponent > MOST_MOVED)
    throw new DatasetUnsupportedError(
      `AEDAT 4: zstd frame: ${blockCount} blocks with a window of ${2 ** exponent} bytes take too long: compress it in larger blocks`,
    )
  const bytes = new Uint8Array(6 + blocks.length)
  bytes.set([0x28, 0xb5, 0x2f, 0xfd, 0, (exponent - 10) << 3])
  bytes.set(blocks, 6)
  return bytes
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const tooMuch = (how: string, limit: number) =>
  new DatasetUnsupportedError(`AEDAT 4: zstd frame: ${how}, the limit is ${limit}: raise maxPacketBytes`)
