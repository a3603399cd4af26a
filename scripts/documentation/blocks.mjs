// @ts-check
/** The TypeScript that documentation holds. */

/**
 * A block of a page.
 * @typedef {object} Block
 * @property {string} code
 * @property {boolean} runs whether it can run in Node: one marked `ts no-run` is only for reading
 * @property {boolean} browser whether it is marked `ts browser`: for a page, bundled
 */

/** @param {string} page in Markdown @returns {Block[]} its blocks of TypeScript, in order */
export const blocksOfPage = (page) =>
  [...page.matchAll(/^```ts( no-run| browser)?\n([\s\S]*?)^```/gm)].map(([, mark, code]) => ({
    code: String(code),
    runs: mark === undefined,
    browser: mark === ' browser',
  }))

/** @param {string} source in TypeScript @returns {string[]} the programs in its doc comments */
export const programsOfComments = (source) =>
  [...source.matchAll(/^ *\* ```ts\n([\s\S]*?)^ *\* ```/gm)].map(([, block]) => String(block).replace(/^ *\* ?/gm, ''))

/** @param {string} code @returns {string[]} packages that it imports, each once, in order; not Node's own modules */
export const packagesImported = (code) => [
  ...new Set(
    [...code.matchAll(/(?:\bfrom |\bimport |\bimport\()'((?:@[\w-]+\/)?[\w-]+)(?=['/])/g)].map(([, name]) =>
      String(name),
    ),
  ),
]

/** @param {string} code @returns {boolean} whether it uses modules or names of Node that are of no other place */
export const usesNode = (code) => /'node:|\bprocess\.|\bBuffer\b/.test(code)

/** @param {Pick<Block, 'code' | 'runs'>} block @returns {boolean} whether it is a whole program: one only for reading may be a fragment, or import a reader's file */
export const standsAlone = ({ code, runs }) => runs || (packagesImported(code).length > 0 && !/'\.\.?\//.test(code))
