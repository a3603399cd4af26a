// @ts-check
/** The figures of ARCHITECTURE.md, drawn from what the packages and their folders are. */

/** @typedef {import('./inside.mjs').DrawnFolders} DrawnFolders */

/** @param {string} name @returns {string} */
const id = (name) => name.replaceAll('-', '_')

/** @param {readonly string[]} lines @returns {string} */
const mermaid = (lines) => ['```mermaid', 'flowchart BT', ...lines.map((line) => `  ${line}`), '```'].join('\n')

/**
 * All packages by layer, with the edges that their manifests declare.
 * @param {ReadonlyMap<string, { layer: number, declared: readonly string[] }>} packages
 * @returns {string}
 */
export function packageFigure(packages) {
  const layers = [...new Set([...packages.values()].map(({ layer }) => layer))].sort((a, b) => a - b)
  return mermaid([
    ...layers.flatMap((layer) => [
      `subgraph layer${layer} [layer ${layer}]`,
      ...[...packages].filter(([, p]) => p.layer === layer).map(([name]) => `  ${id(name)}["${name}"]`),
      'end',
    ]),
    ...[...packages].flatMap(([name, { declared }]) =>
      [...declared].sort().map((target) => `${id(name)} --> ${id(target)}`),
    ),
  ])
}

/**
 * The folders of every package that has several, a figure each.
 * @param {ReadonlyMap<string, DrawnFolders>} packages
 * @returns {string}
 */
export function folderFigures(packages) {
  return [...packages]
    .filter(([, { order }]) => order.length > 1)
    .map(([name, { order, edges }]) =>
      [
        `**${name}**`,
        mermaid([
          ...order.map((folder) => `${id(folder)}["${folder}"]`),
          ...order.flatMap((from) =>
            order.filter((to) => edges.get(from)?.has(to)).map((to) => `${id(from)} --> ${id(to)}`),
          ),
        ]),
      ].join('\n\n'),
    )
    .join('\n\n')
}

/**
 * A page with the figures in their places, between comments `<!-- name:begin -->` and `<!-- name:end -->`.
 * @param {string} page
 * @param {Readonly<Record<string, string>>} figures by name
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
