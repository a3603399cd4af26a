/**
 * SEAL's serialization, as far as we look into it: a 16-byte header (magic A15E, header size, version, compression, size of
 * the whole blob), then the object. Uncompressed plaintexts are 88 bytes of headers and then the residues, 8 bytes each.
 * SEAL itself validates everything behind the header while loading.
 */
import { FormatError } from '@he-ml/ckks-core'

const HEADER_BYTES = 16
const MAGIC = 0xa15e

/** Bytes of the blob that starts at `offset`. @throws FormatError */
function blobBytes(bytes: Uint8Array, offset: number): number {
  if (bytes.length - offset < HEADER_BYTES)
    throw new FormatError(
      `at byte ${offset}: expected ${HEADER_BYTES} bytes of SEAL header, got ${bytes.length - offset}`,
    )
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_BYTES)
  if (view.getUint16(0, true) !== MAGIC)
    throw new FormatError(`at byte ${offset}: expected SEAL's magic A15E: not a SEAL object`)
  if (view.getUint8(2) !== HEADER_BYTES || view.getUint8(3) !== 4)
    throw new FormatError(`at byte ${offset + 2}: expected an object of SEAL 4, got version ${view.getUint8(3)}`)
  if (view.getUint8(5) > 2) throw new FormatError(`at byte ${offset + 5}: unknown compression ${view.getUint8(5)}`)
  const size = Number(view.getBigUint64(8, true))
  if (size <= HEADER_BYTES || size > bytes.length - offset)
    throw new FormatError(
      `at byte ${offset + 8}: the object says it has ${size} bytes, the file has ${bytes.length - offset} from here`,
    )
  return size
}

/**
 * The objects of a file that is one after the other.
 * @param maxBytes largest object accepted, from the parameters
 * @throws FormatError for anything that is not whole SEAL objects
 */
export function splitBlobs(bytes: Uint8Array, maxBytes: number): Uint8Array[] {
  const blobs: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const size = blobBytes(bytes, offset)
    if (size > maxBytes)
      throw new FormatError(`at byte ${offset}: an object of ${size} bytes, at most ${maxBytes} are possible here`)
    blobs.push(bytes.subarray(offset, offset + size))
    offset += size
  }
  if (blobs.length === 0) throw new FormatError('at byte 0: the file is empty')
  return blobs
}

/** The only object of a file. @throws FormatError */
export function singleBlob(bytes: Uint8Array, maxBytes: number, what: string): Uint8Array {
  const blobs = splitBlobs(bytes, maxBytes)
  if (blobs.length !== 1) throw new FormatError(`${what}: expected one SEAL object, the file holds ${blobs.length}`)
  return blobs[0]!
}

/** The residues of an uncompressed plaintext: limb after limb, N each, in SEAL's evaluation order. A view of `bytes`. */
export function plaintextResidues(bytes: Uint8Array, count: number): BigUint64Array {
  const start = bytes.length - 8 * count
  if (start < HEADER_BYTES) throw new FormatError(`expected ${count} residues in a plaintext of ${bytes.length} bytes`)
  if ((bytes.byteOffset + start) % 8 !== 0) throw new FormatError('residues are not aligned')
  return new BigUint64Array(bytes.buffer, bytes.byteOffset + start, count)
}
