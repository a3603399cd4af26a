// @ts-check
/**
 * Colours of boxes and of the lines that lead to them: different ones for lines that are seen together. All have the luminance 0.172,
 * a contrast of 4.7 to white, letters or a page, and of 3.4 and 2.9 to dark pages of #1e1e1e and #2b2e33.
 */

/** @typedef {import('./graph.mjs').Graph} Graph */

/** By hue in degrees, in the order in which they are taken where several are as good. */
export const COLOURS = new Map([
  [255, '#3975be'],
  [25, '#b8554f'],
  [150, '#268444'],
  [310, '#8f5fb0'],
  [60, '#ac6008'],
  [200, '#048085'],
  [350, '#af5483'],
  [110, '#777702'],
  [280, '#686bc0'],
  [85, '#926e02'],
])

/** Of boxes that nothing leads to. */
export const GREY = '#71767d'

/** Of words beside the boxes: as readable on white pages as on dark ones. */
export const LABELS = '#7f858d'

/** How much the same hue matters for two boxes: whose lines are side by side, of which one is where the others begin, and others. */
const WEIGHTS = { together: 1, touching: 0.3, apart: 0.02 }
/** 1 for the same hue, a tenth for those that differ by an eighth of the circle. By products alone, which are the same on every machine. */
function alike(/** @type {number} */ a, /** @type {number} */ b) {
  const near = 1 - between(a, b) / 180
  const fourth = near * near * near * near
  return fourth * fourth
}

/** @param {number} a @param {number} b degrees between two hues, at most 180 */
const between = (a, b) => Math.min(Math.abs(a - b), 360 - Math.abs(a - b))

/**
 * A colour for each box that lines lead to.
 * @param {Graph} graph
 * @returns {Map<string, string>} by node; the boxes with most lines choose first
 */
export function coloursOf({ rows, edges }) {
  const rowOf = new Map(rows.flatMap(({ nodes }, row) => nodes.map((node) => /** @type {const} */ ([node, row]))))
  const spans = [...rowOf].flatMap(([node, end]) => {
    const starts = edges.filter(([, to]) => to === node).map(([from]) => Number(rowOf.get(from)))
    return starts.length === 0 ? [] : [{ node, start: Math.min(...starts), end, lines: starts.length }]
  })
  /** @type {{ node: string, start: number, end: number, hue: number }[]} */
  const chosen = []
  for (const { node, start, end } of spans.toSorted((a, b) => b.lines - a.lines)) {
    const likeness = (/** @type {number} */ hue) =>
      chosen.reduce((sum, other) => {
        const overlap = Math.min(end, other.end) - Math.max(start, other.start)
        const weight = overlap > 0 ? WEIGHTS.together : overlap === 0 ? WEIGHTS.touching : WEIGHTS.apart
        return sum + weight * alike(hue, other.hue)
      }, 0)
    const hue = [...COLOURS.keys()].reduce((best, next) => (likeness(next) < likeness(best) ? next : best))
    chosen.push({ node, start, end, hue })
  }
  return new Map(chosen.map(({ node, hue }) => [node, COLOURS.get(hue) ?? GREY]))
}
