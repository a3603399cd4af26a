/**
 * States of a search in flat arrays: a row of levels each, at which the values that live stand. A row remembers the cheapest way that
 * led to it; dearer ways that were kept before stay as records, because others may have gone on from them. A search over time steps
 * meets tens of millions of states: none may be an object.
 */
import type { Level } from '@he-ml/ckks-core'

export const FIRST_ROWS = 1024

/** See above. Rows and records are numbers, in the order in which they were made. */
export class StateRows {
  /** Number of values that live. */
  readonly width: number
  /** Levels of the row that is added next. */
  readonly scratch: Int16Array
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
  /** Whether a row has the levels of {@link scratch}. */
  holds(row: number): boolean {
    const at = row * this.width
    for (let i = 0; i < this.width; i++) if (this.#levels[at + i] !== this.scratch[i]) return false
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

  /** Copies a row of these or others of their width into {@link scratch}. */
  copy(rows: StateRows, row: number): void {
    const at = row * rows.width
    for (let i = 0; i < this.width; i++) this.scratch[i] = rows.#levels[at + i]!
  }

  /**
   * A new row with the levels of {@link scratch}.
   * @param from the state that it comes from, and `step` what was done to it, in the caller's own numbers
   */
  add(seconds: number, from: number, step: number): number {
    const row = this.#rows++
    if (row === this.#cheapest.length) {
      this.#levels = grown(this.#levels, Int16Array)
      this.#cheapest = grown(this.#cheapest, Int32Array)
      this.#leastSeconds = grown(this.#leastSeconds, Float64Array)
    }
    this.#levels.set(this.scratch, row * this.width)
    this.improve(row, seconds, from, step)
    return row
  }

  /** A cheaper way to a row. */
  improve(row: number, seconds: number, from: number, step: number): void {
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
}

/** The same with room for as much again. */
function grown<T extends Int16Array | Int32Array | Float64Array>(old: T, type: new (length: number) => T): T {
  const made = new type(2 * old.length)
  made.set(old)
  return made
}
