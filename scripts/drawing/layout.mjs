// @ts-check
/** Boxes and lines of a layered graph in pixels. Lines bend only between rows, so that none can touch a box in passing. */
import { partsOf } from './graph.mjs'
import { fewestCrossings } from './order.mjs'
import { placeAcross } from './place.mjs'

/** @typedef {import('./graph.mjs').Graph} Graph */
/** @typedef {import('./graph.mjs').Item} Item */

/** @typedef {{ node: string, left: number, top: number, width: number, height: number }} Box */

/**
 * A part of an arrow: down from one point to another, bending between `bendsFrom` and `bendsTo` of height.
 * @typedef {object} Line
 * @property {string} to the box that the whole arrow leads to
 * @property {{ x: number, y: number }} start
 * @property {{ x: number, y: number }} end
 * @property {number} bendsFrom
 * @property {number} bendsTo
 */

/**
 * @typedef {object} Layout
 * @property {number} width
 * @property {number} height
 * @property {Box[]} boxes
 * @property {Line[]} lines
 * @property {{ to: string, x: number, y: number }[]} heads tips of arrows, one for each box that is used
 * @property {{ text: string, top: number, height: number }[]} labels of rows, at the left
 */

const MARGIN = 12
const LABEL = 64
const BOX_HEIGHT = 30
/** A letter of 13 px in the widest of the usual fonts. */
const LETTER = 7.7
const GAP = 18
const TRUNK = 2
/** Room for the lines between two rows: a little more for each that leads sideways. */
const ROOM = { least: 44, more: 1.6 }
/** Height of an arrow's head. */
export const HEAD = 8

/** @param {Item} item */
const widthOf = ({ node, isBox }) => (isBox ? Math.max(64, Math.round(node.length * LETTER) + 24) : TRUNK)

/**
 * Lets the lines out of a box start side by side, in the order in which they lead away.
 * @param {number} count
 * @param {number} width of the box
 * @returns {number[]} distances from its middle
 */
const portsOf = (count, width) => {
  const step = Math.min(12, (width - 20) / Math.max(1, count - 1))
  return Array.from({ length: count }, (_, i) => (i - (count - 1) / 2) * step)
}

/** @param {Graph} graph @returns {Layout} */
export function layoutOf(graph) {
  const parts = partsOf(graph)
  const placed = fewestCrossings(parts)
    .map((rows) => ({ rows, ...placeAcross({ ...parts, rows }, { widthOf, gap: GAP }) }))
    .reduce((best, next) => (next.length < best.length ? next : best))
  const { rows, middles } = placed
  const left = MARGIN + (graph.rows.some(({ label }) => label) ? LABEL : 0)
  /** @type {(id: string) => number} */
  const x = (id) => left + Number(middles.get(id))
  const items = new Map(rows.flat().map((item) => [item.id, item]))
  /** @type {number[]} */
  const tops = []
  for (const [r] of rows.entries()) {
    const above = parts.segments.filter(({ to }) => items.get(to)?.row === r).length
    tops.push(r === 0 ? MARGIN : Number(tops[r - 1]) + BOX_HEIGHT + Math.round(ROOM.least + ROOM.more * above))
  }
  const boxes = rows.flat().flatMap((item) => {
    const width = widthOf(item)
    const box = {
      node: item.node,
      left: x(item.id) - width / 2,
      top: Number(tops[item.row]),
      width,
      height: BOX_HEIGHT,
    }
    return item.isBox ? [box] : []
  })
  const lines = rows.flat().flatMap((item) => {
    const out = parts.segments.filter(({ from }) => from === item.id).sort((a, b) => x(a.to) - x(b.to))
    const ports = portsOf(out.length, widthOf(item))
    const bottom = Number(tops[item.row]) + BOX_HEIGHT
    return out.map(({ to }, i) => {
      const target = /** @type {Item} */ (items.get(to))
      const end = Number(tops[target.row]) - (target.isBox ? HEAD : 0)
      return {
        to: target.node,
        start: { x: x(item.id) + Number(ports[i]), y: bottom },
        end: { x: x(to), y: end + (target.isBox ? 0 : BOX_HEIGHT) },
        bendsFrom: bottom,
        bendsTo: end,
      }
    })
  })
  return {
    width: Math.max(...boxes.map((box) => box.left + box.width), ...lines.map(({ end }) => end.x)) + MARGIN,
    height: Number(tops.at(-1)) + BOX_HEIGHT + MARGIN,
    boxes,
    lines,
    heads: boxes
      .filter(({ node }) => graph.edges.some(([, to]) => to === node))
      .map((box) => ({ to: box.node, x: box.left + box.width / 2, y: box.top })),
    labels: graph.rows.flatMap(({ label }, r) =>
      label ? [{ text: label, top: Number(tops[r]), height: BOX_HEIGHT }] : [],
    ),
  }
}
