// @ts-check
/** Who imports whom inside one workspace: files, and the folders they lie in. */
import { importedPath } from './source-files.mjs'

/** @typedef {import('./source-files.mjs').SourceFile} SourceFile */

/**
 * Published files below `src` and the files that each imports, without `src/` in front.
 * @param {readonly SourceFile[]} sources
 * @returns {Map<string, Set<string>>}
 */
export function fileGraph(sources) {
  /** @type {Map<string, Set<string>>} */
  const graph = new Map()
  for (const { path, isTest, imports } of sources) {
    if (isTest || !path.startsWith('src/')) continue
    const targets = imports.map((name) => importedPath(path, name)).filter((target) => target?.startsWith('src/'))
    graph.set(path.slice('src/'.length), new Set(targets.map((target) => target?.slice('src/'.length) ?? '')))
  }
  return graph
}

/**
 * Folders and the folders beside them that their files import, at every depth, with a file that makes each edge. An import from
 * a/b/x.ts to a/c/y.ts is an edge from a/b to a/c; files that lie beside folders belong to none of them.
 * @param {ReadonlyMap<string, ReadonlySet<string>>} files
 * @returns {Map<string, Map<string, string>>}
 */
export function folderGraph(files) {
  /** @type {Map<string, Map<string, string>>} */
  const graph = new Map()
  for (const [path, targets] of files) {
    const from = path.split('/').slice(0, -1)
    for (const [i] of from.entries()) {
      const folder = from.slice(0, i + 1).join('/')
      if (!graph.has(folder)) graph.set(folder, new Map())
    }
    for (const target of targets) {
      const to = target.split('/').slice(0, -1)
      const depth = from.findIndex((name, i) => name !== to[i])
      if (depth < 0 || depth >= to.length) continue
      const edges = graph.get(from.slice(0, depth + 1).join('/'))
      const beside = to.slice(0, depth + 1).join('/')
      if (edges && !edges.has(beside)) edges.set(beside, path)
    }
  }
  return graph
}
