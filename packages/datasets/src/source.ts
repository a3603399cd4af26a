/** Bytes from a path or from memory, gzip or not, never more than a stated size. */
import { readFile, stat } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { DatasetFormatError } from './errors.ts'

/** A path, or the file's bytes. */
export type Source = string | Uint8Array

export interface ReadOptions {
  /** Most bytes accepted, after decompression; default 1 GiB. Larger files are refused before memory is taken. */
  readonly maxBytes?: number
}

const DEFAULT_MAX_BYTES = 2 ** 30

/**
 * @throws DatasetFormatError for broken gzip or too many bytes; the file system's own error when a path cannot be read
 */
export async function readSource(source: Source, options: ReadOptions = {}): Promise<Uint8Array> {
  const limit = options.maxBytes ?? DEFAULT_MAX_BYTES
  if (typeof source !== 'string') return decompress(source, limit)
  const { size } = await stat(source)
  if (size > limit) throw new DatasetFormatError(`${source} has ${size} bytes, the limit is ${limit}: raise maxBytes`)
  return decompress(await readFile(source), limit)
}

/** The bytes themselves, or what gzip made of them. @throws DatasetFormatError */
export function decompress(bytes: Uint8Array, limit: number = DEFAULT_MAX_BYTES): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw new DatasetFormatError(`expected a path or bytes, got ${typeof bytes}`)
  let plain = bytes
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      plain = gunzipSync(bytes, { maxOutputLength: limit })
    } catch (cause) {
      throw new DatasetFormatError(
        `broken gzip, or more than ${limit} bytes inside (${cause instanceof Error ? cause.message : cause})`,
        { cause },
      )
    }
  }
  if (plain.length > limit) throw new DatasetFormatError(`${plain.length} bytes, the limit is ${limit}: raise maxBytes`)
  // a Buffer's slice shares memory and a Buffer is not equal to a Uint8Array: plain views only from here on
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength)
}
