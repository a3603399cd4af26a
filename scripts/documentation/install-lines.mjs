// @ts-check
/** The lines of a README that install, one for npm and one for pnpm, whose programs find direct dependencies alone. */
import { blocksOfPage, packagesImported } from './blocks.mjs'

/** @param {string} page @param {string} command @returns {readonly string[] | undefined} what a line installs, perhaps with versions */
const installedBy = (page, command) =>
  new RegExp(`^${command} (.*)$`, 'm')
    .exec(page)?.[1]
    ?.split(/\s+/)
    .filter((word) => word !== '' && !word.startsWith('-'))

/** @param {string} page @returns {readonly string[]} what its npm line installs, perhaps with versions: `node-seal@6.0.3` */
export const installedByPage = (page) => installedBy(page, 'npm install') ?? []

/** @param {string} specification @returns {string} the name without a version */
export const nameOf = (specification) => specification.replace(/(.)@.*$/, '$1')

/** @param {string} page @param {string} name of its package @returns {string[]} problems */
export function installProblems(page, name) {
  const [npm, pnpm] = ['npm install', 'pnpm add'].map((command) => installedBy(page, command))
  if (npm === undefined || pnpm === undefined)
    return ['"Install" needs a line "npm install ..." and one "pnpm add ..."']
  const problems = String(npm) === String(pnpm) ? [] : ['npm install and pnpm add must name the same packages']
  const imported = blocksOfPage(page).flatMap(({ code }) => packagesImported(code))
  const missing = [...new Set([name, ...imported])].filter((wanted) => !npm.map(nameOf).includes(wanted))
  return [...problems, ...missing.map((wanted) => `programs import ${wanted}, the lines that install lack it`)]
}
