import { createHash } from 'node:crypto'
import { InvalidArgumentError } from '../errors/errors.ts'
import { beginContainer } from '../format/container.ts'
import type { HeaderInput } from '../format/header.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import { AtomicFile, type WriteOptions } from './atomic-file.ts'

export interface WriteContainerOptions extends WriteOptions {
  /** Those of what is written; levels and lengths are checked against them. */
  readonly parameters: AnyParameters
}

/** A segment at once, or in pieces with its length said beforehand. */
export type SegmentSource =
  | Uint8Array
  | {
      /** Bytes of all pieces together. */
      readonly bytes: number
      /** The content in order, in pieces of any length. */
      readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
    }

/** What was written. */
export interface WrittenFile {
  /** Length of the file. */
  readonly bytes: number
  /** SHA-256 of the whole file, hex, as a key set lists it. */
  readonly sha256: string
}

/**
 * Writes a container of any size with memory for one chunk; whole or not at all. Secret keys get mode 0600 unless told
 * otherwise.
 *
 * @throws InvalidArgumentError when a segment yields another number of bytes than it said, or the header is wrong;
 *   SecurityError for insecure parameters
 */
export async function writeContainerFile(
  path: string,
  header: HeaderInput,
  segments: readonly SegmentSource[],
  options: WriteContainerOptions,
): Promise<WrittenFile> {
  const lengths = segments.map((s) => (s instanceof Uint8Array ? s.length : s.bytes))
  const { bytes: start, layout } = beginContainer(header, lengths, options.parameters)
  const mode = options.mode ?? (header.kind === 'secretKey' ? 0o600 : 0o644)
  await using file = await AtomicFile.create(path, { mode })
  const content = createHash('sha256')
  const put = async (bytes: Uint8Array): Promise<void> => {
    content.update(bytes)
    await file.write(bytes)
  }
  await put(start)
  for (const [i, { offset, bytes }] of layout.segments.entries()) {
    const source = segments[i]!
    for await (const chunk of source instanceof Uint8Array ? [source] : source.chunks) {
      if (file.written + chunk.length > offset + bytes) throw wrongLength(i, bytes, 'more')
      await put(chunk)
    }
    if (file.written < offset + bytes) throw wrongLength(i, bytes, `only ${file.written - offset}`)
    await put(new Uint8Array((layout.segments[i + 1]?.offset ?? layout.checksumOffset) - file.written))
  }
  const whole = content.copy()
  const checksum = content.digest()
  await file.write(checksum)
  await file.commit()
  return { bytes: layout.totalBytes, sha256: whole.update(checksum).digest('hex') }
}

function wrongLength(segment: number, wanted: number, got: string): InvalidArgumentError {
  return new InvalidArgumentError(`segment ${segment}: expected ${wanted} bytes as announced, the source gave ${got}`)
}
