// @ts-check
/** A layered graph as SVG that is readable on white and on dark pages, and as words for those who do not see it. */
import { coloursOf, GREY, LABELS } from './colours.mjs'
import { HEAD, layoutOf } from './layout.mjs'

/** @typedef {import('./graph.mjs').Graph} Graph */
/** @typedef {import('./layout.mjs').Line} Line */

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** @param {number} value */
const short = (value) => String(Math.round(value * 10) / 10)

/** @param {Line} line */
function path({ start, end, bendsFrom, bendsTo }) {
  const middle = (bendsFrom + bendsTo) / 2
  const bend = `C${short(start.x)} ${short(middle)} ${short(end.x)} ${short(middle)} ${short(end.x)} ${short(bendsTo)}`
  return `M${short(start.x)} ${short(start.y)}${start.x === end.x ? '' : bend}V${short(end.y)}`
}

/**
 * Every edge in words, an item for each node that has any.
 * @param {Graph} graph
 * @returns {string}
 */
export const edgesInWords = ({ rows, edges }) =>
  rows
    .flatMap(({ nodes }) => nodes)
    .map((node) => ({ node, uses: edges.filter(([from]) => from === node).map(([, to]) => to) }))
    .filter(({ uses }) => uses.length > 0)
    .map(({ node, uses }) => `${node} uses ${uses.join(', ')}.`)
    .join(' ')

/**
 * @param {Graph} graph
 * @returns {string} a whole file, the same for the same graph
 */
export function drawn(graph) {
  const { width, height, boxes, lines, heads, labels } = layoutOf(graph)
  const colours = coloursOf(graph)
  /** @type {(node: string) => string} */
  const colour = (node) => colours.get(node) ?? GREY
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${short(width)}" height="${short(height)}" viewBox="0 0 ${short(width)} ${short(height)}" role="img" aria-labelledby="title edges" font-family="Helvetica, Arial, sans-serif" font-size="13">`,
    `<title id="title">${escaped(graph.title)}</title>`,
    `<desc id="edges">${escaped(edgesInWords(graph))}</desc>`,
    ...labels.flatMap(({ text, top, height: tall }) => [
      `<rect x="0" y="${short(top - 7)}" width="${short(width)}" height="${short(tall + 14)}" rx="6" fill="${LABELS}" fill-opacity="0.1"/>`,
      `<text x="12" y="${short(top + tall / 2 + 4.5)}" fill="${LABELS}">${escaped(text)}</text>`,
    ]),
    ...lines.map((line) => `<path d="${path(line)}" fill="none" stroke="${colour(line.to)}" stroke-width="1.6"/>`),
    ...heads.map(({ to, x, y }) => `<path d="M${short(x)} ${short(y)}l-4.5 ${-HEAD - 1}h9z" fill="${colour(to)}"/>`),
    ...boxes.flatMap(({ node, left, top, width: wide, height: tall }) => [
      `<rect x="${short(left)}" y="${short(top)}" width="${short(wide)}" height="${short(tall)}" rx="5" fill="${colour(node)}"/>`,
      `<text x="${short(left + wide / 2)}" y="${short(top + tall / 2 + 4.5)}" text-anchor="middle" fill="#fff">${escaped(node)}</text>`,
    ]),
    '</svg>',
    '',
  ].join('\n')
}
