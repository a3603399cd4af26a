/** Which states a search goes on with. */
import type { StateRows } from './state-rows.ts'

/** Comparing all pairs pays below this. */
const MOST_COMPARED = 3000

/** Rows in the order in which the search goes on with them. */
export interface Pruned {
  readonly rows: Int32Array
  /** Whether nothing was left out that could have led to the optimum. */
  readonly exact: boolean
}

/** Without states that another beats everywhere, the cheapest first; with at most `most` of them. */
export function pruneStates(table: StateRows, most: number): Pruned {
  const all = byCost(table)
  const kept = all.length > MOST_COMPARED ? all : undominated(table, all)
  if (kept.length <= most) return { rows: kept, exact: true }
  // half of the places for the cheap, half for those that have most levels left
  const half = Math.ceil(most / 2)
  const rows = new Int32Array(most)
  rows.set(kept.subarray(0, half))
  rows.set(highest(table, kept.subarray(half), most - half), half)
  return { rows, exact: false }
}

/**
 * Rows by their seconds; rows of one cost in the order in which they were made. Doubles that are not negative are in the order of their
 * bits, so they are dealt into piles by 16 bits at a time, the lowest first; there may be a million of them.
 */
function byCost(table: StateRows): Int32Array {
  const { rows } = table
  const seconds = new Float64Array(rows)
  for (let row = 0; row < rows; row++) seconds[row] = table.leastSeconds(row)
  const digits = new Uint16Array(seconds.buffer)
  let order = Int32Array.from({ length: rows }, (_, row) => row)
  let next = new Int32Array(rows)
  for (const digit of DIGITS) {
    const places = new Int32Array(2 ** 16 + 1)
    for (let row = 0; row < rows; row++) places[digits[4 * row + digit]! + 1]!++
    for (let pile = 1; pile < places.length; pile++) places[pile]! += places[pile - 1]!
    for (let i = 0; i < rows; i++) {
      const row = order[i]!
      next[places[digits[4 * row + digit]!]!++] = row
    }
    ;[order, next] = [next, order]
  }
  return order
}

/** Where the 16-bit digits of a double lie, the lowest first. */
const DIGITS = new Uint16Array(Float64Array.of(1).buffer)[3] === 0 ? [3, 2, 1, 0] : [0, 1, 2, 3]

function undominated(table: StateRows, rows: Int32Array): Int32Array {
  const kept: number[] = []
  for (const row of rows) if (!kept.some((better) => table.covers(better, row))) kept.push(row)
  return Int32Array.from(kept)
}

/** The rows whose lowest level is highest; of those alike the first. */
function highest(table: StateRows, rows: Int32Array, count: number): Int32Array {
  const least = new Int16Array(rows.length)
  const alike: number[] = []
  for (let i = 0; i < rows.length; i++) {
    const level = table.leastLevel(rows[i]!)
    least[i] = level
    alike[level] = (alike[level] ?? 0) + 1
  }
  // where the rows of each level begin
  const places: number[] = []
  let place = 0
  for (let level = alike.length - 1; level >= 0; level--) {
    places[level] = place
    place += alike[level] ?? 0
  }
  const kept = new Int32Array(count)
  for (let i = 0; i < rows.length; i++) {
    const at = places[least[i]!]!++
    if (at < count) kept[at] = rows[i]!
  }
  return kept
}
