/** Little-endian reads inside bounds. Offsets of HDF5 that say "nowhere" (all bits set) come out as Infinity. */
import { FormatError } from '@he-ml/ckks-core'

const NOWHERE = 0xffff_ffff_ffff_ffffn

export class Cursor {
  readonly bytes: Uint8Array
  readonly end: number
  /** What is being read, for messages. */
  readonly where: string
  readonly #view: DataView
  at: number

  /** @throws FormatError unless [at, at + length) lies inside the bytes */
  constructor(bytes: Uint8Array, at: number, length: number, where: string) {
    if (!(at >= 0 && length >= 0 && at + length <= bytes.length))
      throw new FormatError(
        `${where}: bytes ${at} to ${at + length} lie outside the file's ${bytes.length}: the file is damaged`,
      )
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
    this.end = at + length
    this.where = where
  }

  get left(): number {
    return this.end - this.at
  }
  fail(message: string): never {
    throw new FormatError(`${this.where}: ${message}: the file is damaged`)
  }
  skip(count: number): number {
    if (count > this.left) this.fail(`${count} bytes wanted at byte ${this.at}, ${this.left} are there`)
    const start = this.at
    this.at += count
    return start
  }
  take(count: number): Uint8Array {
    const start = this.skip(count)
    return this.bytes.subarray(start, start + count)
  }
  /** The same bytes from here on, under a length of their own. */
  part(length: number): Cursor {
    return new Cursor(this.bytes, this.skip(length), length, this.where)
  }
  expect(signature: string): void {
    const got = String.fromCharCode(...this.take(signature.length))
    if (got !== signature) this.fail(`expected "${signature}" at byte ${this.at - signature.length}`)
  }
  u8(): number {
    return this.bytes[this.skip(1)]!
  }
  u16(): number {
    return this.#view.getUint16(this.skip(2), true)
  }
  u32(): number {
    return this.#view.getUint32(this.skip(4), true)
  }
  /** Exact up to 2^53, else beyond every size of a file. */
  u64(): number {
    const value = this.#view.getBigUint64(this.skip(8), true)
    return value === NOWHERE ? Number.POSITIVE_INFINITY : Number(value)
  }
  /** An integer of 1 to 8 bytes. */
  uint(width: number): number {
    return this.take(width).reduceRight((value, byte) => value * 256 + byte, 0)
  }
}
