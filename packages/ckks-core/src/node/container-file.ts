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

/** Some bytes of a file, to be read to where they belong. */
interface Piece {
  readonly at: number
  readonly bytes: Uint8Array
  /** Padding. */
  readonly zeros: boolean
}

/** All that a checksum covers, in order. What is not wanted elsewhere goes to two buffers in turn. */
function* piecesOf(layout: ContainerLayout, into: readonly Uint8Array[] | undefined): Generator<Piece, undefined> {
  const buffers = [new Uint8Array(0), new Uint8Array(0)]
  const buffer = (length: number): Uint8Array => {
    const last = buffers.shift()!
    const next = last.length < length ? new Uint8Array(length) : last
    buffers.push(next)
    return next.subarray(0, length)
  }
  function* range(from: number, to: number, zeros: boolean, target?: Uint8Array): Generator<Piece> {
    for (let at = from; at < to; at += CHUNK) {
      const length = Math.min(CHUNK, to - at)
      yield { at, bytes: target?.subarray(at - from, at - from + length) ?? buffer(length), zeros }
    }
  }
  let end = PRELUDE_BYTES + layout.headerBytes
  yield* range(0, end, false)
  for (const [i, { offset, bytes }] of layout.segments.entries()) {
    yield* range(end, offset, true)
    yield* range(offset, offset + bytes, false, into?.[i])
    end = offset + bytes
  }
  yield* range(end, layout.checksumOffset, true)
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
   * Reads the whole file once, in pieces, and checks padding and checksum. While a piece is hashed the next one is being read.
   *
   * @returns SHA-256 of the whole file, hex
   * @throws FormatError for damage; the signal's reason when aborted. No read is on its way then
   */
  async verify(
    options: {
      /** Stops between two pieces. */
      readonly signal?: AbortSignal
      /** Where the segments go, each of its segment's length. What lies there is whole only when the promise is fulfilled. */
      readonly into?: readonly Uint8Array[]
    } = {},
  ): Promise<string> {
    return this.#guard(this.#verify(options.signal, options.into))
  }

  async #verify(signal: AbortSignal | undefined, into: readonly Uint8Array[] | undefined): Promise<string> {
    const content = createHash('sha256')
    const pieces = piecesOf(this.layout, into)
    const read = async (): Promise<Piece | undefined> => {
      const { value: piece } = pieces.next()
      if (piece) await readExactly(this.#handle, piece.bytes, piece.at)
      return piece
    }
    let coming = read()
    try {
      for (let piece = await coming; piece !== undefined; piece = await coming) {
        signal?.throwIfAborted()
        coming = read()
        content.update(piece.bytes)
        if (piece.zeros) assertZeros(piece.bytes, piece.at)
      }
    } finally {
      // whoever lent the memory gets it back with nothing on its way into it
      await coming.catch(() => {})
    }
    const stored = new Uint8Array(32)
    await readExactly(this.#handle, stored, this.layout.checksumOffset)
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
  const sha256 = await file.verify({ ...(signal ? { signal } : {}), into: segments })
  if (options.sha256 !== undefined && options.sha256 !== sha256)
    throw new FormatError(`${path}: expected the SHA-256 ${options.sha256}, got ${sha256}: not the file that was meant`)
  try {
    checkContent(header, segments)
  } catch (error) {
    throw nameFile(error, path)
  }
  return { header, segments, sha256 }
}
