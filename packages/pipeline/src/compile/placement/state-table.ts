/** Rows of states that are found again by their levels. */
import { FIRST_ROWS, StateRows } from './state-rows.ts'

/** A row for each combination of levels. */
export class StateTable extends StateRows {
  readonly #multipliers: Int32Array
  /** A hash, and the row + 1 or 0 for none, at each of twice as many places as there are rows at least. */
  #slots = new Int32Array(4 * FIRST_ROWS)

  constructor(width: number) {
    super(width)
    this.#multipliers = Int32Array.from({ length: width }, (_, i) => mixed(Math.imul(i + 1, 0x9e3779b1)) | 1)
  }

  /**
   * Keeps the levels of `scratch` unless they are known at the same cost or less.
   * @returns their row
   */
  keep(seconds: number, from: number, step: number): number {
    const { width, scratch } = this
    let hash = 0
    for (let i = 0; i < width; i++) hash = (hash + Math.imul(scratch[i]! + 1, this.#multipliers[i]!)) | 0
    const slots = this.#slots
    let slot = placeOf(hash, slots)
    for (let found = slots[slot + 1]!; found !== 0; found = slots[slot + 1]!) {
      const row = found - 1
      if (slots[slot] === hash && this.holds(row)) {
        if (this.leastSeconds(row) > seconds) this.improve(row, seconds, from, step)
        return row
      }
      slot = after(slot, slots)
    }
    const row = this.add(seconds, from, step)
    slots[slot] = hash
    slots[slot + 1] = row + 1
    if (4 * this.rows >= slots.length) this.#spread()
    return row
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
