// @ts-check
/** The figures of ARCHITECTURE.md, drawn from what the packages and their folders are. */
import { rowsByDepth } from '../drawing/graph.mjs'
import { drawn } from '../drawing/svg.mjs'

/** @typedef {import('../drawing/graph.mjs').Graph} Graph */
/** @typedef {import('./inside.mjs').DrawnFolders} DrawnFolders */

/** Where the pictures are, and no others. */
export const FIGURES = 'docs/figures'

/**
 * What a page shows and the pictures that it needs.
 * @typedef {object} Figure
 * @property {string} markdown
 * @property {ReadonlyMap<string, string>} files SVG by path from the root
 */

/** @param {string} name @param {Graph} graph @returns {Figure} */
const figure = (name, graph) => ({
  markdown: `![${graph.title}](${FIGURES}/${name}.svg)`,
  files: new Map([[`${FIGURES}/${name}.svg`, drawn(graph)]]),
})

/**
 * All packages by layer, with the edges that their manifests declare.
 * @param {ReadonlyMap<string, { layer: number, declared: readonly string[] }>} packages
 * @returns {Figure}
 */
export function packageFigure(packages) {
  const layers = [...new Set([...packages.values()].map(({ layer }) => layer))].sort((a, b) => b - a)
  return figure('packages', {
    title: 'Packages by layer: arrows lead down to the packages that each one uses',
    rows: layers.map((layer) => ({
      label: `layer ${layer}`,
      nodes: [...packages].filter(([, p]) => p.layer === layer).map(([name]) => name),
    })),
    edges: [...packages].flatMap(([name, { declared }]) =>
      [...declared].sort().map((target) => /** @type {const} */ ([name, target])),
    ),
  })
}

/**
 * The folders of every package that has several, a picture each.
 * @param {ReadonlyMap<string, DrawnFolders>} packages
 * @returns {Figure}
 */
export function folderFigures(packages) {
  const figures = [...packages]
    .filter(([, { order }]) => order.length > 1)
    .map(([name, { order, edges: uses }]) => {
      const edges = order.flatMap((from) =>
        order.filter((to) => uses.get(from)?.has(to)).map((to) => /** @type {const} */ ([from, to])),
      )
      const title = `Folders of ${name}: arrows lead down to the folders that each one imports`
      return { name, ...figure(name, { title, rows: rowsByDepth(order, edges), edges }) }
    })
  return {
    markdown: figures.map(({ name, markdown }) => `**${name}**\n\n${markdown}`).join('\n\n'),
    files: new Map(figures.flatMap(({ files }) => [...files])),
  }
}

/**
 * A page with the figures in their places, between comments `<!-- name:begin -->` and `<!-- name:end -->`.
 * @param {string} page
 * @param {Readonly<Record<string, string>>} figures in Markdown, by name
 * @returns {{ page: string, missing: string[] }} and the figures that it has no place for
 */
export function withFigures(page, figures) {
  const missing = []
  let next = page
  for (const [name, figure] of Object.entries(figures)) {
    const place = new RegExp(`(<!-- ${name}:begin -->)[\\s\\S]*?(<!-- ${name}:end -->)`)
    if (!place.test(next)) missing.push(name)
    next = next.replace(place, (_, begin, end) => `${begin}\n${figure}\n${end}`)
  }
  return { page: next, missing }
}
