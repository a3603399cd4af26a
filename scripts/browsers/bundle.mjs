// @ts-check
/** A program and all that it imports as one file for a page, or why there is none: what reaches a module of Node does not bundle. */
import { build } from 'esbuild'

/**
 * @typedef {object} Bundle
 * @property {string} text an ES module; empty when there are problems
 * @property {readonly string[]} problems
 */

/** @typedef {{ text: string, location: { file: string, line: number } | null }} Message */

/** @param {Message} message @returns {string} */
const lineOf = ({ text, location }) => (location ? `${location.file}:${location.line}: ${text}` : text)

/**
 * @param {string} code in TypeScript
 * @param {{ folder: string, conditions?: readonly string[] }} options the folder whose packages it sees; conditions of exports, beside
 *   a browser's
 * @returns {Promise<Bundle>}
 */
export async function bundleForBrowsers(code, { folder, conditions = [] }) {
  try {
    const { outputFiles, metafile } = await build({
      stdin: { contents: code, loader: 'ts', resolveDir: folder },
      bundle: true,
      write: false,
      metafile: true,
      platform: 'browser',
      format: 'esm',
      target: 'es2022',
      conditions: [...conditions, 'module'],
      logLevel: 'silent',
    })
    // a package's manifest may turn a module of Node into an empty one, which fails when it is used
    const emptied = Object.keys(metafile.inputs).filter((input) => input.startsWith('(disabled)'))
    if (emptied.length > 0) return { text: '', problems: emptied.map((input) => `${input}: empty in a browser`) }
    return { text: outputFiles[0]?.text ?? '', problems: [] }
  } catch (error) {
    const { errors } = /** @type {{ errors?: readonly Message[] }} */ (error)
    if (errors === undefined) throw error
    return { text: '', problems: errors.map(lineOf) }
  }
}
