// @ts-check
/** Where secret keys may be: modules below a folder `client`, tests, and the programs that stand on the client's side. */
import { importedPath } from './source-files.mjs'

/** @typedef {import('./source-files.mjs').SourceFile} SourceFile */

/** @param {string} path @returns {boolean} */
const isClientPath = (path) => path.split('/').slice(0, -1).includes('client')

/**
 * Imports of client modules from where secret keys must not be.
 * @param {string} name of the workspace
 * @param {readonly SourceFile[]} sources
 * @returns {string[]} problems
 */
export function clientProblems(name, sources) {
  return sources
    .filter(({ path, isTest }) => !isTest && !isClientPath(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter((imported) => {
          const own = importedPath(path, imported)
          return own === undefined ? /^@he-ml\/[^/]+\/client(\/|$)/.test(imported) : isClientPath(own)
        })
        .map((imported) => `${name}/${path} imports ${imported}: secret keys are for clients only`),
    )
}
