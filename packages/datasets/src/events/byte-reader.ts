/** Reads a file, or pieces of one, in order, holding no more than what was asked for and the piece it came in. */
import { createReadStream } from 'node:fs'
import { DatasetFormatError } from '../errors.ts'
import { namedFailure } from '../named-failure.ts'
import type { EventSource } from './event-chunk.ts'

const NOTHING = new Uint8Array(0)

export class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  #piece: Uint8Array = NOTHING
  #position = 0

  constructor(source: EventSource) {
    this.#pieces = pieces(source)[Symbol.asyncIterator]()
  }

  /** Bytes handed out so far. */
  get position(): number {
    return this.#position
  }

  /** Up to `count` next bytes, without handing them out; fewer only at the end. They hold until the next call. */
  async peek(count: number): Promise<Uint8Array> {
    if (this.#piece.length >= count) return this.#piece.subarray(0, count)
    const parts = [this.#piece]
    let length = this.#piece.length
    while (length < count) {
      const next = await this.#pieces.next()
      if (next.done) break
      if (!(next.value instanceof Uint8Array)) throw new DatasetFormatError(`expected bytes, got ${typeof next.value}`)
      parts.push(next.value)
      length += next.value.length
    }
    const joined = new Uint8Array(length)
    let at = 0
    for (const part of parts) {
      joined.set(part, at)
      at += part.length
    }
    this.#piece = joined
    return joined.subarray(0, count)
  }

  /** Hands out up to `count` bytes; fewer only at the end. */
  async read(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count)
    this.#piece = this.#piece.subarray(bytes.length)
    this.#position += bytes.length
    return bytes
  }

  /** Passes over up to `count` bytes without keeping them. */
  async skip(count: number): Promise<number> {
    let left = count
    while (left > 0) {
      const bytes = await this.read(Math.min(left, 65_536))
      if (bytes.length === 0) break
      left -= bytes.length
    }
    return count - left
  }

  /** @throws DatasetFormatError when the file ends before `count` bytes */
  async readExactly(count: number, what: string): Promise<Uint8Array> {
    const at = this.#position
    const bytes = await this.read(count)
    if (bytes.length < count)
      throw new DatasetFormatError(`${what}: expected ${count} bytes at byte ${at}, got ${bytes.length}: cut off`)
    return bytes
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    this.#piece = NOTHING
    await this.#pieces.return?.()
  }
}

/** What `read` yields; its failures name the source's path. */
export async function* naming<T>(source: EventSource, read: () => AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* read()
  } catch (error) {
    throw namedFailure(source, error)
  }
}

async function* pieces(source: EventSource): AsyncGenerator<Uint8Array> {
  if (typeof source === 'string') yield* createReadStream(source) as AsyncIterable<Uint8Array>
  else if (source instanceof Uint8Array) yield source
  else if (source !== null && typeof source === 'object' && Symbol.asyncIterator in source) yield* source
  else throw new DatasetFormatError(`expected a path, bytes, or pieces of bytes, got ${typeof source}`)
}
