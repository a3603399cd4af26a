/** Zstandard frames, read by fzstd (RFC 8878); what a frame asks for is checked before it is given memory. */
import { decompress } from 'fzstd'
import { DatasetFormatError } from '../../errors.ts'

const MAGIC = 0xfd2fb528
/** Sizes in bytes of the content size field by its flag; 0 or 1 for flag 0. */
const SIZE_BYTES = [0, 2, 4, 8]
const DICTIONARY_BYTES = [0, 1, 2, 4]

/**
 * What a zstd frame holds.
 * @param limit most bytes accepted; the frame must say how many it holds, as encoders that have all data at hand do
 * @throws DatasetFormatError for broken data, too much of it, or an unknown size
 */
export function zstdDecompress(bytes: Uint8Array, limit: number): Uint8Array {
  const size = contentSize(bytes)
  if (size > limit) throw broken(`it holds ${size} bytes, the limit is ${limit}`)
  let content: Uint8Array
  try {
    content = decompress(bytes, new Uint8Array(size))
  } catch (cause) {
    throw broken(cause instanceof Error ? cause.message : String(cause), cause)
  }
  if (content.length !== size) throw broken(`it says ${size} bytes and holds ${content.length}`)
  return content
}

function contentSize(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 6 || view.getUint32(0, true) !== MAGIC) throw broken('it does not begin with the frame magic')
  const descriptor = bytes[4]!
  const isSingle = (descriptor & 32) !== 0
  const flag = descriptor >> 6
  const length = flag === 0 && isSingle ? 1 : SIZE_BYTES[flag]!
  const at = 5 + (isSingle ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]!
  if ((descriptor & 3) !== 0) throw broken('it needs a dictionary')
  if (length === 0) throw broken('it does not say how many bytes it holds')
  if (bytes.length < at + length) throw broken('its header is cut off')
  if (length === 1) return bytes[at]!
  if (length === 2) return view.getUint16(at, true) + 256
  const low = view.getUint32(at, true)
  return length === 4 ? low : low + view.getUint32(at + 4, true) * 2 ** 32
}

const broken = (how: string, cause?: unknown) =>
  new DatasetFormatError(`AEDAT 4: zstd frame: ${how}`, cause === undefined ? {} : { cause })
