// @ts-check
/** A layered graph: boxes in rows, arrows that lead to lower rows. The lines to one box share a trunk on their way down. */

/**
 * One row of boxes.
 * @typedef {object} Row
 * @property {string} [label] beside the row
 * @property {readonly string[]} nodes names, each once in the graph
 */

/**
 * What is drawn.
 * @typedef {object} Graph
 * @property {string} title one line
 * @property {readonly Row[]} rows the highest first
 * @property {readonly (readonly [from: string, to: string])[]} edges each to a lower row
 */

/**
 * What has a place in a row: a box, or where the trunk to a box of a lower row passes.
 * @typedef {object} Item
 * @property {string} id
 * @property {string} node the box, or the one that the trunk leads to
 * @property {boolean} isBox
 * @property {number} row
 */

/**
 * Part of an arrow, from an item to one in the row below.
 * @typedef {object} Segment
 * @property {string} from id of an item
 * @property {string} to id of an item
 */

/**
 * @typedef {object} Parts
 * @property {Item[][]} rows the highest first
 * @property {Segment[]} segments
 */

/**
 * Rows for nodes that have none: each as low as what it uses allows, directly above the highest of that.
 * @param {readonly string[]} nodes
 * @param {readonly (readonly [string, string])[]} edges without a circle
 * @returns {Row[]} the highest first; within a row in the order of `nodes`
 */
export function rowsByDepth(nodes, edges) {
  /** @type {Map<string, number>} */
  const heights = new Map()
  /** @type {(node: string) => number} */
  const heightOf = (node) => {
    const known = heights.get(node)
    if (known !== undefined) return known
    const below = edges.filter(([from]) => from === node).map(([, to]) => heightOf(to))
    const height = Math.max(-1, ...below) + 1
    heights.set(node, height)
    return height
  }
  const highest = Math.max(...nodes.map(heightOf))
  return Array.from({ length: highest + 1 }, (_, row) => ({
    nodes: nodes.filter((node) => heights.get(node) === highest - row),
  }))
}

/**
 * Boxes, trunks, and the segments between them.
 * @param {Graph} graph
 * @returns {Parts}
 * @throws {RangeError} if an edge does not lead to a lower row, or to or from a node that is in no row
 */
export function partsOf({ rows, edges }) {
  const rowOf = new Map(rows.flatMap(({ nodes }, row) => nodes.map((node) => /** @type {const} */ ([node, row]))))
  /** @type {Item[][]} */
  const items = rows.map(({ nodes }, row) => nodes.map((node) => ({ id: node, node, isBox: true, row })))
  /** @type {Segment[]} */
  const segments = []
  const targets = [...rowOf.keys()].filter((node) => edges.some(([, to]) => to === node))
  for (const [from, to] of edges)
    if (!(Number(rowOf.get(from)) < Number(rowOf.get(to))))
      throw new RangeError(`expected edges to lower rows, got ${from} -> ${to}`)
  for (const node of targets) {
    const end = Number(rowOf.get(node))
    const sources = edges.filter(([, to]) => to === node).map(([from]) => from)
    const start = Math.min(...sources.map((source) => Number(rowOf.get(source))))
    /** @type {(row: number) => string} */
    const passes = (row) => (row === end ? node : `${node} in row ${row}`)
    for (let row = start + 1; row < end; row++) {
      items[row]?.push({ id: passes(row), node, isBox: false, row })
      segments.push({ from: passes(row), to: passes(row + 1) })
    }
    for (const source of sources) segments.push({ from: source, to: passes(Number(rowOf.get(source)) + 1) })
  }
  return { rows: items, segments }
}
