// @ts-check
/** Source files of a workspace, and what each imports. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import ts from 'typescript'

/**
 * A source file.
 * @typedef {object} SourceFile
 * @property {string} path below its workspace, with slashes
 * @property {boolean} isTest whether it is a test or a test's helper, which is not published and may import what it likes
 * @property {readonly string[]} imports as they are written, imports of types among them
 */

const SKIPPED = new Set(['node_modules', 'dist', 'build'])

/** @param {string} path @returns {boolean} */
const isTestPath = (path) => /\.test(-helper)?\.ts$|(^|\/)(test|testing)\//.test(path)

/** @param {string} folder @returns {Generator<string>} */
function* walk(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* walk(path)
    else if (entry.isFile() && /\.(ts|mts)$/.test(entry.name)) yield path
  }
}

/**
 * All TypeScript files of a workspace.
 * @param {string} workspace
 * @returns {SourceFile[]}
 */
export function readSourceFiles(workspace) {
  return [...walk(workspace)].map((file) => {
    const path = relative(workspace, file).split(sep).join('/')
    const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true)
    return { path, isTest: isTestPath(path), imports: importedFiles.map(({ fileName }) => fileName) }
  })
}

/**
 * The file that a relative import names, below the workspace; undefined for other imports.
 * @param {string} path of the file that imports
 * @param {string} name
 * @returns {string | undefined}
 */
export const importedPath = (path, name) =>
  name.startsWith('./') || name.startsWith('../') ? posix.normalize(posix.join(posix.dirname(path), name)) : undefined
