/** Bytes from a path or from memory, gzip or not, never more than a stated size. */
import { readFile, stat } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { DatasetFormatError, DatasetUnsupportedError } from './errors.ts'
import { namedFailure } from './named-failure.ts'

/** A path, or the file's bytes. */
export type Source = string | Uint8Array

/** Options of all readers. */
export interface ReadOptions {
  /** Most bytes accepted, after decompression; default 1 GiB. Larger files are refused before memory is taken. */
  readonly maxBytes?: number
}

const DEFAULT_MAX_BYTES = 2 ** 30

/**
 * What `parse` makes of the bytes at a path or in memory; its failures name the path.
 * @throws DatasetFormatError for broken gzip; DatasetUnsupportedError for too many bytes; DatasetFileError when a path cannot be
 *   read; what `parse` throws
 */
export async function readSource<T>(
  source: Source,
  options: ReadOptions,
  parse: (bytes: Uint8Array, options: ReadOptions) => T,
): Promise<T> {
  const limit = options.maxBytes ?? DEFAULT_MAX_BYTES
  try {
    return parse(typeof source === 'string' ? await readPath(source, limit) : source, options)
  } catch (error) {
    throw namedFailure(source, error)
  }
}

async function readPath(path: string, limit: number): Promise<Uint8Array> {
  const { size } = await stat(path)
  if (size > limit) throw new DatasetUnsupportedError(`it has ${size} bytes, the limit is ${limit}: raise maxBytes`)
  return readFile(path)
}

/** The bytes themselves, or what gzip made of them. @throws DatasetFormatError; DatasetUnsupportedError for too many */
export function decompress(bytes: Uint8Array, limit: number = DEFAULT_MAX_BYTES): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw new DatasetFormatError(`expected a path or bytes, got ${typeof bytes}`)
  let plain = bytes
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      plain = gunzipSync(bytes, { maxOutputLength: limit })
    } catch (cause) {
      if (cause instanceof RangeError)
        throw new DatasetUnsupportedError(`gzip holds more than ${limit} bytes, the limit: raise maxBytes`, { cause })
      throw new DatasetFormatError(`broken gzip (${cause instanceof Error ? cause.message : cause})`, { cause })
    }
  }
  if (plain.length > limit)
    throw new DatasetUnsupportedError(`${plain.length} bytes, the limit is ${limit}: raise maxBytes`)
  // a Buffer's slice shares memory and a Buffer is not equal to a Uint8Array: plain views only from here on
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength)
}
