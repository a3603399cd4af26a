/**
 * Where things lie in a container file (docs/notes/file-format.md):
 *
 *   0   'HEML'   4  version u16   6  zero u16   8  header length u32   12  zero u32   16  header (CBOR)
 *
 * then zeros up to a multiple of 64, every segment followed by zeros up to a multiple of 64, and 32 bytes of SHA-256 over
 * everything before them. Integers are little endian. The end of the checksum is the end of the file.
 */
import { FormatError } from '../errors/errors.ts'

/** 'HEML'. */
const CONTAINER_MAGIC: readonly number[] = Object.freeze([0x48, 0x45, 0x4d, 0x4c])
/** The only version there is. */
const CONTAINER_VERSION = 1
/** Segments start at multiples of this many bytes. */
const SEGMENT_ALIGNMENT = 64
/** Bytes before the header. */
export const PRELUDE_BYTES = 16
/** Longest header: a key set of some ten thousand keys. */
export const MAX_HEADER_BYTES = 4 * 2 ** 20
/** Bytes of the SHA-256 at the end. */
export const CHECKSUM_BYTES = 32

/** Byte ranges of a container. */
export interface ContainerLayout {
  /** Bytes of the CBOR header alone. */
  readonly headerBytes: number
  /** Each segment's offset in the file and length, padding excluded. */
  readonly segments: readonly { readonly offset: number; readonly bytes: number }[]
  readonly checksumOffset: number
  readonly totalBytes: number
}

/** The next multiple of 64. */
const align = (offset: number): number => Math.ceil(offset / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT

/** Offsets that follow from the header's length and those of the segments. */
export function containerLayout(headerBytes: number, lengths: readonly number[]): ContainerLayout {
  let offset = align(PRELUDE_BYTES + headerBytes)
  const segments = lengths.map((bytes) => {
    const segment = { offset, bytes }
    offset = align(offset + bytes)
    return segment
  })
  return { headerBytes, segments, checksumOffset: offset, totalBytes: offset + CHECKSUM_BYTES }
}

/** The first 16 bytes. */
export function encodePrelude(headerBytes: number): Uint8Array {
  const prelude = new Uint8Array(PRELUDE_BYTES)
  prelude.set(CONTAINER_MAGIC)
  const view = new DataView(prelude.buffer)
  view.setUint16(4, CONTAINER_VERSION, true)
  view.setUint32(8, headerBytes, true)
  return prelude
}

/**
 * Length of the header that follows the prelude, checked against the size of the whole file.
 *
 * @param bytes the start of the file, at least 16 bytes if the file has them
 * @param fileBytes size of the whole file
 * @throws FormatError for a wrong magic, version or length
 */
export function parsePrelude(bytes: Uint8Array, fileBytes: number): number {
  if (bytes.length < PRELUDE_BYTES)
    throw new FormatError(`at byte 0: expected ${PRELUDE_BYTES} bytes of prelude, the file has ${bytes.length}`)
  for (const [i, value] of CONTAINER_MAGIC.entries())
    if (bytes[i] !== value)
      throw new FormatError(
        bytes[0] === 0x5e && bytes[1] === 0xa1
          ? 'at byte 0: a file of SEAL, which the SEAL engine reads alone: use that engine (--engine seal), or make the file with this one'
          : `at byte ${i}: expected the magic 'HEML', got something else: not a file of ours`,
      )
  const view = new DataView(bytes.buffer, bytes.byteOffset, PRELUDE_BYTES)
  const version = view.getUint16(4, true)
  if (version !== CONTAINER_VERSION)
    throw new FormatError(
      `at byte 4: expected version ${CONTAINER_VERSION}, got ${version}: read it with a newer release`,
    )
  if (view.getUint16(6, true) !== 0) throw new FormatError('at byte 6: expected two zero bytes')
  if (view.getUint32(12, true) !== 0) throw new FormatError('at byte 12: expected four zero bytes')
  const headerBytes = view.getUint32(8, true)
  if (headerBytes < 1 || headerBytes > MAX_HEADER_BYTES)
    throw new FormatError(`at byte 8: expected a header of 1 to ${MAX_HEADER_BYTES} bytes, got ${headerBytes}`)
  const least = align(PRELUDE_BYTES + headerBytes) + CHECKSUM_BYTES
  if (least > fileBytes)
    throw new FormatError(`at byte 8: a header of ${headerBytes} bytes needs a file of ${least}, got ${fileBytes}`)
  return headerBytes
}

/** @throws FormatError unless the bytes are all zero; `offset` is where they lie in the file */
export function assertZeros(bytes: Uint8Array, offset: number): void {
  for (let i = 0; i < bytes.length; i++)
    if (bytes[i] !== 0) throw new FormatError(`at byte ${offset + i}: expected zero padding, got ${bytes[i]}`)
}
