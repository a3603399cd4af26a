// @ts-check
/** The whole check of a repository: packages, the folders and files inside each, clients, figures. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { clientProblems } from './clients.mjs'
import { FIGURES, folderFigures, packageFigure, withFigures } from './figures.mjs'
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
 * @property {ReadonlyMap<string, string>} files ARCHITECTURE.md and its pictures as they should be, by path
 * @property {string[]} stale paths of those that are not, and of pictures that none are of
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

/** @param {string} root @param {ReadonlyMap<string, string>} files @returns {string[]} paths */
function staleIn(root, files) {
  const there = existsSync(join(root, FIGURES))
    ? readdirSync(join(root, FIGURES)).map((name) => `${FIGURES}/${name}`)
    : []
  const differing = [...files].filter(
    ([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
  )
  return [...differing.map(([path]) => path), ...there.filter((path) => !files.has(path))]
}

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
  const page = 'ARCHITECTURE.md'
  // arrows that lead nowhere, or not downwards, are problems already, and cannot be drawn
  const figures = problems.length === 0 ? { layering: packageFigure(shown), folders: folderFigures(folders) } : {}
  const { page: text, missing } = withFigures(
    readFileSync(join(root, page), 'utf8'),
    Object.fromEntries(Object.entries(figures).map(([name, { markdown }]) => [name, markdown])),
  )
  for (const name of missing)
    problems.push(`${page}: no place for a figure between <!-- ${name}:begin --> and <!-- ${name}:end -->`)
  const files = new Map([[page, text], ...Object.values(figures).flatMap(({ files }) => [...files])])
  return {
    problems,
    files,
    stale: problems.length === 0 ? staleIn(root, files) : [],
    packages: shown.size,
    drawn: [...folders.values()].filter(({ order }) => order.length > 1).length,
  }
}
