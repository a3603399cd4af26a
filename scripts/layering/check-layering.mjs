// @ts-check
/** The whole check of a repository: packages, the folders and files inside each, clients, figures. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { clientProblems } from './clients.mjs'
import { folderFigures, packageFigure, withFigures } from './figures.mjs'
import { circlesInside, foldersAsLayers } from './inside.mjs'
import { declaredPackages, packageProblems, tableProblems } from './packages.mjs'
import { readSourceFiles } from './source-files.mjs'

/** @typedef {import('./packages.mjs').PackageLayer} PackageLayer */

/**
 * scripts/layers.json.
 * @typedef {object} Layers
 * @property {Readonly<Record<string, PackageLayer>>} packages
 * @property {readonly string[]} clientAllowed workspaces that may import client modules anywhere
 */

/**
 * What was found.
 * @typedef {object} Layering
 * @property {string[]} problems one line each; a stale figure is not among them
 * @property {string} page ARCHITECTURE.md with true figures
 * @property {boolean} isStale whether the page differs from that
 * @property {number} packages
 * @property {number} drawn packages whose folders are drawn
 */

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** @param {string} root @param {string} folder folders in it that hold a workspace @returns {string[]} */
const workspacesIn = (root, folder) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder))
        .filter((name) => existsSync(join(root, folder, name, 'package.json')))
        .map((name) => `${folder}/${name}`)
    : []

/** @param {string} root @returns {string[]} workspaces that nothing depends on */
const applicationsIn = (root) => [
  ...workspacesIn(root, 'examples'),
  ...(existsSync(join(root, 'benchmarks')) ? ['benchmarks'] : []),
]

/**
 * @param {string} root
 * @returns {Layering}
 */
export function checkLayering(root) {
  /** @type {Layers} */
  const { packages, clientAllowed } = readJson(join(root, 'scripts/layers.json'))
  const there = workspacesIn(root, 'packages').map((workspace) => workspace.slice('packages/'.length))
  const problems = [
    ...there.filter((name) => !packages[name]).map((name) => `packages/${name} has no entry in scripts/layers.json`),
    ...Object.keys(packages)
      .filter((name) => !there.includes(name))
      .map((name) => `scripts/layers.json: there is no package packages/${name}`),
    ...tableProblems(packages),
  ]
  const shown = new Map()
  const folders = new Map()
  for (const [name, { layer, uses, folders: order = [] }] of Object.entries(packages)) {
    if (!there.includes(name)) continue
    const workspace = `packages/${name}`
    const sources = readSourceFiles(join(root, workspace))
    const declared = declaredPackages(readJson(join(root, workspace, 'package.json')))
    const inside = foldersAsLayers(workspace, sources, order)
    problems.push(...packageProblems(name, { uses, declared, sources }))
    problems.push(...circlesInside(workspace, sources), ...inside.problems)
    if (!clientAllowed.includes(workspace)) problems.push(...clientProblems(workspace, sources))
    shown.set(name, { layer, declared })
    folders.set(name, inside.drawn)
  }
  for (const workspace of applicationsIn(root)) {
    const sources = readSourceFiles(join(root, workspace))
    problems.push(...circlesInside(workspace, sources))
    if (!clientAllowed.includes(workspace)) problems.push(...clientProblems(workspace, sources))
  }
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const drawn = withFigures(page, { layering: packageFigure(shown), folders: folderFigures(folders) })
  for (const name of drawn.missing)
    problems.push(`ARCHITECTURE.md: no place for a figure between <!-- ${name}:begin --> and <!-- ${name}:end -->`)
  return {
    problems,
    page: drawn.page,
    isStale: drawn.page !== page,
    packages: shown.size,
    drawn: [...folders.values()].filter(({ order }) => order.length > 1).length,
  }
}
