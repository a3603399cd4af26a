import { sha256 } from '@noble/hashes/sha2.js'
import { encode } from 'cborg'
import { containerLayout, encodePrelude, PRELUDE_BYTES } from '../layout.ts'

/** A container around arbitrary header bytes, with a proper checksum: what a hostile writer can make. */
export function forge(header: Uint8Array, segments: readonly Uint8Array[]): Uint8Array {
  const layout = containerLayout(
    header.length,
    segments.map((s) => s.length),
  )
  const file = new Uint8Array(layout.totalBytes)
  file.set(encodePrelude(header.length))
  file.set(header, PRELUDE_BYTES)
  for (const [i, s] of segments.entries()) file.set(s, layout.segments[i]!.offset)
  file.set(sha256(file.subarray(0, layout.checksumOffset)), layout.checksumOffset)
  return file
}

/** The same for any object as header; the lengths are true unless `header` says otherwise. */
export const forgeFields = (header: object, segments: readonly Uint8Array[]): Uint8Array =>
  forge(encode({ segments: segments.map((s) => s.length), ...header }), segments)
