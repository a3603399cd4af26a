/**
 * Containers on disk. Opening reads the header alone and checks it, the file's size included, before anything is allocated
 * for the rest. Segments are then read in ranges (keys are loaded limb by limb), streamed, or all at once.
 */
import { createHash } from 'node:crypto'
import { FormatError, InvalidArgumentError } from '../errors/errors.ts'
import type { Expectations } from '../format/check-header.ts'
import { assertChecksum, type Container, checkContent, nameFile, parseContainerStart } from '../format/container.ts'
import type { FileKind, HeaderOf } from '../format/header.ts'
import { assertZeros, type ContainerLayout, PRELUDE_BYTES, parsePrelude } from '../format/layout.ts'
import { type OpenFile, type OrdinaryFileOptions, openOrdinaryFile } from './read-ordinary-file.ts'

const CHUNK = 4 * 2 ** 20
/** Above this, read in ranges: one Uint8Array could not hold it everywhere. */
const MAX_SEGMENT_IN_MEMORY = 2 ** 31

async function readExactly(handle: OpenFile, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const want = Math.min(into.length - done, CHUNK)
    const { bytesRead } = await handle.read(into, done, want, position + done)
    if (bytesRead === 0)
      throw new FormatError(`at byte ${position + done}: the file ended: it was cut while being read`)
    done += bytesRead
  }
}

/** An open, checked container file. See {@link openContainerFile}. */
export class ContainerFile<K extends FileKind = FileKind> implements AsyncDisposable {
  /** Of the open file. */
  readonly path: string
  /** Checked when the file was opened. */
  readonly header: HeaderOf<K>
  /** Where its segments lie. */
  readonly layout: ContainerLayout
  readonly #handle: OpenFile

  /** @internal */
  constructor(path: string, handle: OpenFile, header: HeaderOf<K>, layout: ContainerLayout) {
    this.path = path
    this.#handle = handle
    this.header = header
    this.layout = layout
  }

  /** Bytes [offset, offset + into.length) of a segment. @throws InvalidArgumentError outside it */
  async read(segment: number, offset: number, into: Uint8Array): Promise<void> {
    const place = this.layout.segments[segment]
    if (place === undefined || offset < 0 || offset + into.length > place.bytes)
      throw new InvalidArgumentError(
        `${this.path}: bytes ${offset} to ${offset + into.length} are not in segment ${segment} of ${place?.bytes ?? 0} bytes`,
      )
    await this.#guard(readExactly(this.#handle, into, place.offset + offset))
  }

  /**
   * Reads the whole file once, in chunks, and checks padding and checksum.
   *
   * @returns SHA-256 of the whole file, hex
   * @throws FormatError for damage; the signal's reason when aborted
   */
  async verify(
    options: {
      /** Stops between two chunks. */
      readonly signal?: AbortSignal
      /** Sees every piece of every segment, in order; what it is given is reused after it returns. */
      readonly take?: (segment: number, offset: number, bytes: Uint8Array) => void | Promise<void>
    } = {},
  ): Promise<string> {
    return this.#guard(this.#verify(options.signal, options.take))
  }

  async #verify(
    signal: AbortSignal | undefined,
    take: ((segment: number, offset: number, bytes: Uint8Array) => void | Promise<void>) | undefined,
  ): Promise<string> {
    const { segments, checksumOffset, headerBytes } = this.layout
    const content = createHash('sha256')
    const buffer = new Uint8Array(CHUNK)
    const pass = async (from: number, to: number, use: (bytes: Uint8Array, at: number) => void | Promise<void>) => {
      for (let at = from; at < to; at += CHUNK) {
        signal?.throwIfAborted()
        const piece = buffer.subarray(0, Math.min(CHUNK, to - at))
        await readExactly(this.#handle, piece, at)
        content.update(piece)
        await use(piece, at)
      }
    }
    let end = PRELUDE_BYTES + headerBytes
    await pass(0, end, () => {})
    for (const [i, { offset, bytes }] of segments.entries()) {
      await pass(end, offset, assertZeros)
      await pass(offset, offset + bytes, (piece, at) => take?.(i, at - offset, piece))
      end = offset + bytes
    }
    await pass(end, checksumOffset, assertZeros)
    const stored = new Uint8Array(32)
    await readExactly(this.#handle, stored, checksumOffset)
    const whole = content.copy().update(stored)
    assertChecksum(content.digest(), stored, this.layout)
    return whole.digest('hex')
  }

  /** Closes the file; it cannot be read any more. */
  async close(): Promise<void> {
    await this.#handle.close()
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      throw nameFile(error, this.path)
    }
  }
}

/**
 * Opens a container and checks its header against the expectations and the file's size; reads nothing else.
 * @throws FormatError, ParameterMismatchError with the file's name in front; InvalidArgumentError for a pipe or a device;
 *   FileSystemError
 */
export async function openContainerFile<K extends FileKind = FileKind>(
  path: string,
  expectations: Expectations<K> = {},
  options: OrdinaryFileOptions = {},
): Promise<ContainerFile<K>> {
  const { handle, size } = await openOrdinaryFile(path, options)
  try {
    const prelude = new Uint8Array(Math.min(PRELUDE_BYTES, size))
    await readExactly(handle, prelude, 0)
    const start = new Uint8Array(PRELUDE_BYTES + parsePrelude(prelude, size))
    await readExactly(handle, start, 0)
    const { header, layout } = parseContainerStart(start, size, expectations)
    return new ContainerFile(path, handle, header, layout)
  } catch (error) {
    await handle.close()
    throw nameFile(error, path)
  }
}

/** A container read from disk. */
export interface ContainerFromFile<K extends FileKind = FileKind> extends Container<K> {
  /** SHA-256 of the whole file, hex. */
  readonly sha256: string
}

/**
 * Reads a whole container into memory and checks it, checksum included. The event loop stays free: chunks of 4 MiB.
 *
 * @param options `sha256`: hash that the whole file must have (from a key set)
 * @throws FormatError, ParameterMismatchError with the file's name in front; segments above 2 GiB must be read in ranges
 */
export async function readContainerFile<K extends FileKind = FileKind>(
  path: string,
  expectations: Expectations<K> = {},
  options: OrdinaryFileOptions & { readonly signal?: AbortSignal; readonly sha256?: string } = {},
): Promise<ContainerFromFile<K>> {
  await using file = await openContainerFile(path, expectations, options)
  const { header, layout } = file
  for (const [i, { bytes }] of layout.segments.entries())
    if (bytes > MAX_SEGMENT_IN_MEMORY)
      throw new FormatError(`${path}: segment ${i} has ${bytes} bytes: read it in ranges with openContainerFile`)
  const segments = layout.segments.map(({ bytes }) => new Uint8Array(bytes))
  const { signal } = options
  const sha256 = await file.verify({
    ...(signal ? { signal } : {}),
    take: (i, offset, piece) => segments[i]!.set(piece, offset),
  })
  if (options.sha256 !== undefined && options.sha256 !== sha256)
    throw new FormatError(`${path}: expected the SHA-256 ${options.sha256}, got ${sha256}: not the file that was meant`)
  try {
    checkContent(header, segments)
  } catch (error) {
    throw nameFile(error, path)
  }
  return { header, segments, sha256 }
}
