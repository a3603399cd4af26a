// @ts-check
/**
 * What packages say of browsers. One whose README has a point "Browsers" is held to it: all that it exports, but for subpaths with
 * `node` in them, must bundle for a browser, and those of its README's programs that can run in a page must run there.
 */
import { blocksOfPage, packagesImported, usesNode } from '../documentation/blocks.mjs'

/**
 * @typedef {object} Claim
 * @property {string} name of the package
 * @property {readonly string[]} modules what can be imported in a browser
 * @property {readonly string[]} programs of the README, those that a page can run
 */

/** Packages that are addons of Node. */
const NATIVE = ['@he-ml/ckks-native', '@he-ml/float-kernels', '@he-ml/native-runtime']

/** @param {string} code @returns {boolean} not what finds node-seal by its name, which only an installed one has */
function runsInPages(code) {
  const imported = packagesImported(code)
  const findsSeal = imported.includes('@he-ml/ckks-seal') && !imported.includes('node-seal')
  return !usesNode(code) && !findsSeal && !NATIVE.some((name) => imported.includes(name))
}

/**
 * @param {{ name: string, exports?: Readonly<Record<string, unknown>> }} manifest
 * @param {string} page the README
 * @returns {Claim | undefined} undefined for a package that claims nothing
 */
export function browserClaim({ name, exports = {} }, page) {
  if (!/^- \*\*Browsers\*\*/m.test(page)) return undefined
  const paths = Object.keys(exports).filter((path) => !/(^|\/)(node|package\.json)(\/|$)/.test(path))
  const blocks = blocksOfPage(page).filter(({ code, runs, browser }) => browser || (runs && runsInPages(code)))
  return {
    name,
    modules: paths.map((path) => path.replace('.', name)),
    programs: blocks.map(({ code }) => code),
  }
}
