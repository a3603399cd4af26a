// @ts-check
/** The order of items within rows, so that few lines cross: means of neighbours in sweeps, then swaps, from several starts. */

/** @typedef {import('./graph.mjs').Item} Item */
/** @typedef {import('./graph.mjs').Parts} Parts */
/** @typedef {import('./graph.mjs').Segment} Segment */

const STARTS = 24
const SWEEPS = 8

/** @param {readonly (readonly Item[])[]} rows @returns {Map<string, number>} places within their rows */
const placesIn = (rows) => new Map(rows.flatMap((row) => row.map(({ id }, i) => /** @type {const} */ ([id, i]))))

/**
 * Pairs of segments that cross; those that share an end do not.
 * @param {readonly (readonly Item[])[]} rows
 * @param {readonly Segment[]} segments
 * @returns {number}
 */
export function crossings(rows, segments) {
  const places = placesIn(rows)
  const rowOf = new Map(rows.flatMap((row, r) => row.map(({ id }) => /** @type {const} */ ([id, r]))))
  const ends = segments.map(({ from, to }) => ({
    row: rowOf.get(from),
    top: Number(places.get(from)),
    bottom: Number(places.get(to)),
  }))
  let count = 0
  for (const [i, a] of ends.entries())
    for (const b of ends.slice(i + 1)) if (a.row === b.row && (a.top - b.top) * (a.bottom - b.bottom) < 0) count++
  return count
}

/** Numbers in [0, 1) that are the same in every run. @param {number} seed @returns {() => number} */
function numbersFrom(seed) {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

/** @param {Parts} parts @returns {(id: string) => string[]} the items that segments lead to or come from */
function neighboursIn({ segments }) {
  /** @type {Map<string, string[]>} */
  const neighbours = new Map()
  for (const { from, to } of segments) {
    neighbours.set(from, [...(neighbours.get(from) ?? []), to])
    neighbours.set(to, [...(neighbours.get(to) ?? []), from])
  }
  return (id) => neighbours.get(id) ?? []
}

/**
 * Sorts a row by the mean place of its items' neighbours in another; those without any keep their own place.
 * @param {Item[]} row
 * @param {readonly Item[]} other
 * @param {(id: string) => string[]} neighbours
 */
function sortByNeighbours(row, other, neighbours) {
  const places = new Map(other.map(({ id }, i) => [id, i / other.length]))
  const means = new Map(
    row.map(({ id }, i) => {
      const near = neighbours(id).flatMap((other) => places.get(other) ?? [])
      return [id, near.length === 0 ? i / row.length : near.reduce((a, b) => a + b, 0) / near.length]
    }),
  )
  row.sort((a, b) => Number(means.get(a.id)) - Number(means.get(b.id)))
}

/** Swaps neighbours while that removes crossings. @param {Item[][]} rows @param {readonly Segment[]} segments @returns {number} those left */
function swapWhileBetter(rows, segments) {
  let fewest = crossings(rows, segments)
  for (let isBetter = true; isBetter; ) {
    isBetter = false
    for (const row of rows)
      for (let i = 0; i + 1 < row.length; i++) {
        row.splice(i, 2, ...row.slice(i, i + 2).reverse())
        const count = crossings(rows, segments)
        if (count < fewest) isBetter = true
        else row.splice(i, 2, ...row.slice(i, i + 2).reverse())
        fewest = Math.min(fewest, count)
      }
  }
  return fewest
}

/**
 * Orders with the fewest crossings found, the first start's first.
 * @param {Parts} parts
 * @returns {Item[][][]} rows each, none the same
 */
export function fewestCrossings(parts) {
  const neighbours = neighboursIn(parts)
  /** @type {Map<string, Item[][]>} */
  let best = new Map()
  let fewest = Number.POSITIVE_INFINITY
  for (let start = 0; start < STARTS; start++) {
    const random = numbersFrom(start + 1)
    const rows = parts.rows.map((row) =>
      start === 0
        ? [...row]
        : row
            .map((item) => ({ item, key: random() }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item),
    )
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      for (let r = 1; r < rows.length; r++) sortByNeighbours(rows[r] ?? [], rows[r - 1] ?? [], neighbours)
      for (let r = rows.length - 2; r >= 0; r--) sortByNeighbours(rows[r] ?? [], rows[r + 1] ?? [], neighbours)
    }
    const count = swapWhileBetter(rows, parts.segments)
    if (count < fewest) best = new Map()
    fewest = Math.min(fewest, count)
    if (count === fewest) best.set(rows.map((row) => row.map(({ id }) => id).join()).join(';'), rows)
  }
  return [...best.values()]
}
