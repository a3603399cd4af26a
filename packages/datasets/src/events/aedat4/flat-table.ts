/**
 * Reads FlatBuffers tables of strangers: every offset is checked against the bytes that are there before it is followed. (The
 * FlatBuffers runtime for JavaScript has no verifier; the tests use it to check this one.)
 */
import { DatasetFormatError } from '../../errors.ts'

/** A FlatBuffer with a size prefix, as AEDAT 4 stores all of them. */
export class FlatBuffer {
  readonly view: DataView
  readonly #what: string

  /** @throws DatasetFormatError unless the size prefix and the four-letter identifier are what was expected */
  constructor(bytes: Uint8Array, identifier: string, what: string) {
    this.#what = what
    if (bytes.length < 12) throw this.broken(`expected at least 12 bytes, got ${bytes.length}`)
    const prefix = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const size = prefix.getUint32(0, true)
    if (size < 8 || size > bytes.length - 4)
      throw this.broken(`its size prefix says ${size} of ${bytes.length - 4} bytes`)
    const found = String.fromCharCode(...bytes.subarray(8, 12))
    if (found !== identifier) throw this.broken(`expected the identifier "${identifier}", got ${JSON.stringify(found)}`)
    this.view = new DataView(bytes.buffer, bytes.byteOffset + 4, size)
  }

  get root(): FlatTable {
    return new FlatTable(this, this.follow(0))
  }

  /** Position after an unsigned offset that lies at a position. */
  follow(at: number): number {
    this.check(at, 4)
    const target = at + this.view.getUint32(at, true)
    this.check(target, 4)
    return target
  }

  /** @throws DatasetFormatError unless `length` bytes are there */
  check(at: number, length: number): void {
    if (!(at >= 0 && at + length <= this.view.byteLength))
      throw this.broken(`an offset leads to byte ${at + 4}, outside its ${this.view.byteLength + 4} bytes`)
  }

  broken(how: string): DatasetFormatError {
    return new DatasetFormatError(`AEDAT 4: ${this.#what}: ${how}`)
  }
}

/** One table: fields by their number in the schema; undefined where the file leaves one out. */
export class FlatTable {
  readonly #buffer: FlatBuffer
  readonly #at: number
  readonly #fields: number
  readonly #fieldBytes: number

  constructor(buffer: FlatBuffer, at: number) {
    buffer.check(at, 4)
    const fields = at - buffer.view.getInt32(at, true)
    buffer.check(fields, 4)
    const length = buffer.view.getUint16(fields, true)
    if (length < 4 || length % 2 !== 0) throw buffer.broken(`a table says it has fields of ${length} bytes`)
    buffer.check(fields, length)
    this.#buffer = buffer
    this.#at = at
    this.#fields = fields
    this.#fieldBytes = length
  }

  int32(field: number): number | undefined {
    const at = this.#locate(field, 4)
    return at === undefined ? undefined : this.#buffer.view.getInt32(at, true)
  }

  /** @throws DatasetFormatError beyond 2^53 */
  int64(field: number): number | undefined {
    const at = this.#locate(field, 8)
    if (at === undefined) return undefined
    return safeInt64(this.#buffer.view, at, this.#buffer)
  }

  string(field: number): string | undefined {
    const found = this.vector(field, 1)
    if (!found) return undefined
    const { view } = this.#buffer
    const bytes = new Uint8Array(view.buffer, view.byteOffset + found.at, found.length)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      throw this.#buffer.broken('a string is not UTF-8')
    }
  }

  /** Where a vector's elements begin and how many there are: all of them lie inside. */
  vector(field: number, elementBytes: number): { readonly at: number; readonly length: number } | undefined {
    const at = this.#locate(field, 4)
    if (at === undefined) return undefined
    const start = this.#buffer.follow(at)
    const length = this.#buffer.view.getUint32(start, true)
    this.#buffer.check(start + 4, length * elementBytes)
    return { at: start + 4, length }
  }

  #locate(field: number, length: number): number | undefined {
    const entry = 4 + 2 * field
    if (entry + 2 > this.#fieldBytes) return undefined
    const offset = this.#buffer.view.getUint16(this.#fields + entry, true)
    if (offset === 0) return undefined
    this.#buffer.check(this.#at + offset, length)
    return this.#at + offset
  }
}

/** @throws DatasetFormatError beyond 2^53 */
function safeInt64(view: DataView, at: number, buffer: FlatBuffer): number {
  const high = view.getInt32(at + 4, true)
  const value = high * 2 ** 32 + view.getUint32(at, true)
  if (!Number.isSafeInteger(value)) throw buffer.broken(`the integer at byte ${at + 4} is beyond 2^53`)
  return value
}
