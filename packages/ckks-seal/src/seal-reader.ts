/** The parts that SEAL 4.1's objects are made of, read and judged one after the other. */
import { FormatError } from '@he-ml/ckks-core'

const HEADER_BYTES = 16
const MAGIC = 0xa15e
/** 'HE', of 'HEML': where files of the native engine begin. */
const OURS = 0x4548
const SEED_BYTES = 64

/** Reads a blob front to back; every complaint is a FormatError that names the byte. */
export class SealReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  at = 0

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#what = what
  }
  fail(message: string, at = this.at): never {
    throw new FormatError(`${this.#what}: at byte ${at}: ${message}`)
  }
  need(count: number): number {
    if (count > this.#bytes.length - this.at)
      this.fail(`expected ${count} more bytes, got ${this.#bytes.length - this.at}`)
    const start = this.at
    this.at += count
    return start
  }
  byte(): number {
    return this.#bytes[this.need(1)]!
  }
  /** A count: exact, or above every limit. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.need(8), true))
  }
  f64(): number {
    return this.#view.getFloat64(this.need(8), true)
  }
  expect(name: string, wanted: number): void {
    const start = this.at
    const got = this.u64()
    if (got !== wanted) this.fail(`expected ${name} ${wanted}, got ${got}`, start)
  }
  /** @param left bytes that there are from here on @returns where the object ends */
  header(left = this.#bytes.length - this.at): number {
    const start = this.need(HEADER_BYTES)
    const view = this.#view
    const magic = view.getUint16(start, true)
    if (magic === OURS)
      this.fail(
        'a file of the native engine, which SEAL cannot read: use that engine (--engine native), or make the file with this one',
        start,
      )
    if (magic !== MAGIC) this.fail("expected SEAL's magic A15E: not a SEAL object", start)
    if (view.getUint8(start + 2) !== HEADER_BYTES) this.fail('expected a header of 16 bytes', start + 2)
    const version = `${view.getUint8(start + 3)}.${view.getUint8(start + 4)}`
    if (version !== '4.1') this.fail(`expected an object of SEAL 4.1, got ${version}`, start + 3)
    if (view.getUint8(start + 5) !== 0)
      this.fail('the object is compressed, which cannot be checked: save it with compression mode none', start + 5)
    if (view.getUint16(start + 6, true) !== 0) this.fail('expected zero', start + 6)
    const size = Number(view.getBigUint64(start + 8, true))
    if (size < HEADER_BYTES || size > left)
      this.fail(`the object says it has ${size} bytes, ${left} are there`, start + 8)
    return start + size
  }
  end(wanted: number): void {
    if (this.at !== wanted) this.fail(`the object ends here, its header says at ${wanted}`)
  }
  /** Index of the parameters' hash among `ids`. */
  parmsId(ids: readonly Uint8Array[]): number {
    const start = this.need(32)
    const index = ids.findIndex((id) => id.every((b, i) => b === this.#bytes[start + i]))
    if (index < 0) this.fail('the object belongs to other parameters', start)
    return index
  }
  /** A length-prefixed array of residues, `primes.length` limbs; whether all are zero from `zerosFrom` on. */
  residues(primes: readonly number[], ringDegree: number, zerosFrom: number): boolean {
    const end = this.header()
    this.expect('residues', primes.length * ringDegree)
    let offset = this.need(primes.length * ringDegree * 8)
    const view = this.#view
    let zero = true
    for (const [limb, prime] of primes.entries()) {
      for (let i = 0; i < ringDegree; i++, offset += 8) {
        const value = view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true)
        if (value >= prime)
          this.fail(`limb ${limb}, index ${i}: expected a residue below ${prime}, got ${value}`, offset)
        if (value !== 0 && limb >= zerosFrom) zero = false
      }
    }
    this.end(end)
    return zero
  }
  /** A length-prefixed array of `count` residues of unknown primes, which have at most 60 bits. */
  anyResidues(count: number): void {
    const end = this.header()
    this.expect('residues', count)
    const from = this.need(count * 8)
    for (let offset = from; offset < this.at; offset += 8)
      if (this.#view.getUint8(offset + 7) >= 0x10)
        this.fail(`index ${(offset - from) / 8}: a residue of more than 60 bits`, offset)
    this.end(end)
  }
  /** Some bytes that are told, not judged. */
  take(count: number): Uint8Array {
    const start = this.need(count)
    return this.#bytes.subarray(start, start + count)
  }
  /** How many residues the array that starts here announces. */
  peekResidues(): number {
    const start = this.at
    this.header()
    const count = this.u64()
    this.at = start
    return count
  }
  /** The generator and seed that stand for the last polynomial. */
  seed(): void {
    const end = this.header()
    const kind = this.byte()
    if (kind !== 1 && kind !== 2) this.fail(`unknown generator ${kind}`, this.at - 1)
    this.need(SEED_BYTES)
    this.end(end)
  }
}
