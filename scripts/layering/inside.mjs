// @ts-check
/** Inside a workspace: no circle of files or folders, and no folder imports one above it. */
import { findCircle } from './circles.mjs'
import { fileGraph, folderGraph } from './import-graph.mjs'

/** @typedef {import('./source-files.mjs').SourceFile} SourceFile */

/**
 * Folders as they are drawn.
 * @typedef {object} DrawnFolders
 * @property {readonly string[]} order the lowest first
 * @property {ReadonlyMap<string, ReadonlyMap<string, string>>} edges
 */

/**
 * Circles of files, imports of types among them, and of folders that lie beside each other.
 * @param {string} name of the workspace, such as packages/model
 * @param {readonly SourceFile[]} sources
 * @returns {string[]} problems
 */
export function circlesInside(name, sources) {
  const files = fileGraph(sources)
  const ofFiles = findCircle(files)
  const ofFolders = findCircle(new Map([...folderGraph(files)].map(([from, to]) => [from, to.keys()])))
  return [
    ...(ofFiles ? [`${name}/src: a circle of files: ${ofFiles.join(' -> ')}`] : []),
    ...(ofFolders ? [`${name}/src: a circle of folders: ${ofFolders.join(' -> ')}`] : []),
  ]
}

/**
 * The folders directly below `src` as layers.
 * @param {string} name of the workspace
 * @param {readonly SourceFile[]} sources
 * @param {readonly string[]} order the lowest first
 * @returns {{ problems: string[], drawn: DrawnFolders }}
 */
export function foldersAsLayers(name, sources, order) {
  const edges = new Map([...folderGraph(fileGraph(sources))].filter(([folder]) => !folder.includes('/')))
  const problems = []
  for (const folder of edges.keys())
    if (!order.includes(folder)) problems.push(`${name}/src/${folder} has no place in scripts/layers.json`)
  for (const folder of order)
    if (!edges.has(folder)) problems.push(`scripts/layers.json: there is no folder ${name}/src/${folder}`)
  for (const [from, targets] of edges)
    for (const [to, file] of targets)
      if (order.includes(from) && order.indexOf(to) > order.indexOf(from))
        problems.push(`${name}/src/${file}: ${from} may not import ${to}, which is above it`)
  return { problems, drawn: { order: order.filter((folder) => edges.has(folder)), edges } }
}
