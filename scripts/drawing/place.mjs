// @ts-check
/** Where items of ordered rows lie across: near the items that they are joined to, and apart from those beside them. */

/** @typedef {import('./graph.mjs').Item} Item */
/** @typedef {import('./graph.mjs').Parts} Parts */

const SWEEPS = 400
/** Pulls trunks straight. */
const TRUNK_WEIGHT = 80

/**
 * The places nearest to those wanted, by least squares, that keep an order and distances (pool adjacent violators).
 * @param {readonly { wanted: number, weight: number }[]} items in order
 * @param {readonly number[]} distances of each item after the first from the one before
 * @returns {number[]}
 */
export function nearestApart(items, distances) {
  const offsets = [0]
  for (const distance of distances) offsets.push(Number(offsets.at(-1)) + distance)
  /** @type {{ mean: number, weight: number, count: number }[]} */
  const pools = []
  for (const [i, { wanted, weight }] of items.entries()) {
    let pool = { mean: wanted - Number(offsets[i]), weight, count: 1 }
    for (let last = pools.at(-1); last !== undefined && last.mean >= pool.mean; last = pools.at(-1)) {
      pools.pop()
      const weights = last.weight + pool.weight
      pool = {
        mean: (last.mean * last.weight + pool.mean * pool.weight) / weights,
        weight: weights,
        count: last.count + pool.count,
      }
    }
    pools.push(pool)
  }
  return pools.flatMap(({ mean, count }) => Array(count).fill(mean)).map((mean, i) => mean + Number(offsets[i]))
}

/**
 * Middles of all items.
 * @param {Parts} parts with ordered rows
 * @param {{ widthOf: (item: Item) => number, gap: number }} sizes width of an item, and what stays free between two, pixels
 * @returns {{ middles: Map<string, number>, length: number }} whole pixels, the leftmost edge at 0; how far segments lead sideways in all
 */
export function placeAcross({ rows, segments }, { widthOf, gap }) {
  const isBox = new Map(rows.flat().map((item) => [item.id, item.isBox]))
  /** @type {Map<string, { id: string, weight: number }[]>} */
  const joined = new Map(rows.flat().map(({ id }) => [id, []]))
  for (const { from, to } of segments) {
    const weight = isBox.get(from) || isBox.get(to) ? 1 : TRUNK_WEIGHT
    joined.get(from)?.push({ id: to, weight })
    joined.get(to)?.push({ id: from, weight })
  }
  const distances = rows.map((row) =>
    row.slice(1).map((item, i) => (widthOf(item) + widthOf(/** @type {Item} */ (row[i]))) / 2 + gap),
  )
  /** @type {Map<string, number>} */
  const middles = new Map()
  for (const [r, row] of rows.entries()) {
    const first = nearestApart(
      row.map(() => ({ wanted: 0, weight: 1 })),
      distances[r] ?? [],
    )
    for (const [i, { id }] of row.entries()) middles.set(id, Number(first[i]))
  }
  const there = [...rows.keys()]
  for (let sweep = 0; sweep < SWEEPS; sweep++)
    for (const r of sweep % 2 === 0 ? there : there.toReversed()) {
      const row = rows[r] ?? []
      const wanted = row.map(({ id }) => {
        const near = joined.get(id) ?? []
        const weight = near.reduce((total, other) => total + other.weight, 0)
        if (weight === 0) return { wanted: Number(middles.get(id)), weight: 1 }
        const moment = near.reduce((total, other) => total + other.weight * Number(middles.get(other.id)), 0)
        return { wanted: moment / weight, weight }
      })
      for (const [i, x] of nearestApart(wanted, distances[r] ?? []).entries()) middles.set(row[i]?.id ?? '', x)
    }
  const left = Math.min(...rows.flat().map((item) => Number(middles.get(item.id)) - widthOf(item) / 2))
  for (const [id, x] of middles) middles.set(id, Math.round(x - left))
  const length = segments.reduce(
    (total, { from, to }) => total + Math.abs(Number(middles.get(from)) - Number(middles.get(to))),
    0,
  )
  return { middles, length }
}
