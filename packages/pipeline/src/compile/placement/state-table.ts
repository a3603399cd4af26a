/**
 * The states between two nodes of a search, in flat arrays: a row of levels each, at which the values that live stand, found again
 * by their hash. A row is kept once and remembers the cheapest way that led to it; dearer ways that were kept before stay as
 * records, because others may have gone on from them. A search over time steps meets tens of millions of candidates, nearly all
 * of which are known at less cost already: they must leave no object behind.
 */
import type { Level } from '@he-ml/ckks-core'

const FIRST_ROWS = 1024

/** See above. Rows and records are numbers, in the order in which they were made. */
export class StateTable {
  /** Number of values that live. */
  readonly width: number
  /** The candidate for {@link keep}. */
  readonly scratch: Int16Array
  readonly #multipliers: Int32Array
  /** A hash, and the row + 1 or 0 for none, at each of twice as many places as there are rows at least. */
  #slots = new Int32Array(4 * FIRST_ROWS)
  #rows = 0
  #levels: Int16Array
  #cheapest = new Int32Array(FIRST_ROWS)
  #leastSeconds = new Float64Array(FIRST_ROWS)
  #records = 0
  #row = new Int32Array(FIRST_ROWS)
  #seconds = new Float64Array(FIRST_ROWS)
  #from = new Int32Array(FIRST_ROWS)
  #step = new Int32Array(FIRST_ROWS)

  constructor(width: number) {
    this.width = width
    this.scratch = new Int16Array(width)
    this.#levels = new Int16Array(FIRST_ROWS * width)
    this.#multipliers = Int32Array.from({ length: width }, (_, i) => mixed(Math.imul(i + 1, 0x9e3779b1)) | 1)
  }

  get rows(): number {
    return this.#rows
  }
  get records(): number {
    return this.#records
  }
  level(row: number, value: number): Level {
    return this.#levels[row * this.width + value]!
  }
  leastLevel(row: number): Level {
    let least = this.level(row, 0)
    for (let i = 1; i < this.width; i++) least = Math.min(least, this.level(row, i))
    return least
  }
  /** Whether one row's levels are nowhere lower than another's. */
  covers(better: number, row: number): boolean {
    for (let i = 0; i < this.width; i++) if (this.level(better, i) < this.level(row, i)) return false
    return true
  }
  /** The record of the cheapest way to a row. */
  cheapest(row: number): number {
    return this.#cheapest[row]!
  }
  /** Seconds of that way. */
  leastSeconds(row: number): number {
    return this.#leastSeconds[row]!
  }
  rowOf(record: number): number {
    return this.#row[record]!
  }
  secondsOf(record: number): number {
    return this.#seconds[record]!
  }
  fromOf(record: number): number {
    return this.#from[record]!
  }
  stepOf(record: number): number {
    return this.#step[record]!
  }

  /** Copies a row of this or another table into the candidate. */
  copy(table: StateTable, row: number): void {
    const at = row * table.width
    for (let i = 0; i < this.width; i++) this.scratch[i] = table.#levels[at + i]!
  }

  /**
   * Keeps the candidate unless its levels are known at the same cost or less.
   * @param from the state that it comes from, and `step` what was done to it, in the caller's own numbers
   * @returns whether it was kept
   */
  keep(seconds: number, from: number, step: number): boolean {
    const { width, scratch } = this
    let hash = 0
    for (let i = 0; i < width; i++) hash = (hash + Math.imul(scratch[i]! + 1, this.#multipliers[i]!)) | 0
    const slots = this.#slots
    let slot = placeOf(hash, slots)
    for (let found = slots[slot + 1]!; found !== 0; found = slots[slot + 1]!) {
      if (slots[slot] === hash && this.#holds(found - 1)) {
        if (this.#leastSeconds[found - 1]! <= seconds) return false
        this.#improve(found - 1, seconds, from, step)
        return true
      }
      slot = after(slot, slots)
    }
    const row = this.#addRow()
    slots[slot] = hash
    slots[slot + 1] = row + 1
    this.#improve(row, seconds, from, step)
    if (4 * this.#rows >= slots.length) this.#spread()
    return true
  }

  /** Whether a row has the candidate's levels. */
  #holds(row: number): boolean {
    const at = row * this.width
    for (let i = 0; i < this.width; i++) if (this.#levels[at + i] !== this.scratch[i]) return false
    return true
  }

  #addRow(): number {
    const row = this.#rows++
    if (row === this.#cheapest.length) {
      this.#levels = grown(this.#levels, Int16Array)
      this.#cheapest = grown(this.#cheapest, Int32Array)
      this.#leastSeconds = grown(this.#leastSeconds, Float64Array)
    }
    this.#levels.set(this.scratch, row * this.width)
    return row
  }

  /** A new record for a row. */
  #improve(row: number, seconds: number, from: number, step: number): void {
    const record = this.#records++
    if (record === this.#row.length) {
      this.#row = grown(this.#row, Int32Array)
      this.#seconds = grown(this.#seconds, Float64Array)
      this.#from = grown(this.#from, Int32Array)
      this.#step = grown(this.#step, Int32Array)
    }
    this.#row[record] = row
    this.#seconds[record] = seconds
    this.#from[record] = from
    this.#step[record] = step
    this.#cheapest[row] = record
    this.#leastSeconds[row] = seconds
  }

  /** The same over twice as many places. */
  #spread(): void {
    const old = this.#slots
    const slots = new Int32Array(2 * old.length)
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue
      let slot = placeOf(old[i]!, slots)
      while (slots[slot + 1] !== 0) slot = after(slot, slots)
      slots[slot] = old[i]!
      slots[slot + 1] = old[i + 1]!
    }
    this.#slots = slots
  }
}

/** Where a hash is looked for first. */
const placeOf = (hash: number, slots: Int32Array): number => (2 * mixed(hash)) & (slots.length - 2)
/** The next place, round the end. */
const after = (slot: number, slots: Int32Array): number => (slot + 2) & (slots.length - 2)

/** Spreads what differs in few bits over all of them: multipliers must have nothing in common, and the low bits of a hash be as good as any. */
const mixed = (bits: number): number => {
  const once = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
  const twice = Math.imul(once ^ (once >>> 15), 0x735a2d97)
  return twice ^ (twice >>> 15)
}

/** The same with room for as much again. */
function grown<T extends Int16Array | Int32Array | Float64Array>(old: T, type: new (length: number) => T): T {
  const made = new type(2 * old.length)
  made.set(old)
  return made
}
