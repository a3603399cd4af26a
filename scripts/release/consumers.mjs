// @ts-check
/**
 * Folders that hold a package as its README installs it, from tarballs: what a user's project would be. One installation lays out all
 * of them; each folder, and each package in it, sees what it declares and nothing else. Packages of others are linked from this
 * repository, so nothing is fetched.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOfPage, standsAlone, usesNode } from '../documentation/blocks.mjs'
import { installedByPage, nameOf } from '../documentation/install-lines.mjs'
import { platformPackages } from '../platforms/platform-packages.mjs'

/** @typedef {import('./public-packages.mjs').PublicPackage} PublicPackage */
/** @typedef {{ filename: string, manifest: import('./public-packages.mjs').Manifest }} Tarball */

/**
 * A project that uses one package.
 * @typedef {object} Consumer
 * @property {string} name of the package
 * @property {string} folder
 * @property {import('../documentation/blocks.mjs').Block[]} blocks of the README that stand alone
 * @property {readonly string[]} modules what can be imported of the package
 * @property {boolean} node whether the blocks use Node's own modules, whose types are installed then
 */

const TYPES = '@types/node'

/** @param {string} root @param {string} work @param {PublicPackage} of @returns {Consumer} */
function consumerOf(root, work, { folder, manifest: { name, exports = {} } }) {
  const page = readFileSync(join(root, folder, 'README.md'), 'utf8')
  const blocks = blocksOfPage(page).filter(standsAlone)
  const consumer = {
    name,
    folder: join(work, 'consumers', folder.replace(/^packages\//, '')),
    blocks,
    modules: Object.keys(exports)
      .filter((path) => path !== './package.json')
      .map((path) => path.replace('.', name)),
    node: blocks.some(({ code }) => usesNode(code)),
  }
  mkdirSync(consumer.folder, { recursive: true })
  const installed = [...installedByPage(page).map(nameOf), ...(consumer.node ? [TYPES] : [])]
  const manifest = {
    name: `consumer-of-${folder.replace(/\W+/g, '-')}`,
    private: true,
    type: 'module',
    dependencies: Object.fromEntries(installed.map((dependency) => [dependency, '*'])),
  }
  writeFileSync(join(consumer.folder, 'package.json'), JSON.stringify(manifest))
  return consumer
}

/** @param {string} root @param {readonly PublicPackage[]} packages @returns {Record<string, string>} packages of others, as links */
function linksToOthers(root, packages) {
  const links = packages.flatMap(({ folder, manifest }) =>
    Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
      .filter((name) => !name.startsWith('@he-ml/'))
      .map((name) => [name, `link:${realpathSync(join(root, folder, 'node_modules', name))}`]),
  )
  return { ...Object.fromEntries(links), [TYPES]: `link:${realpathSync(join(root, 'node_modules', TYPES))}` }
}

/** @param {readonly Tarball[]} tarballs @returns {Record<string, string>} packages of ours; a platform's that is not there is left out */
function ourTarballs(tarballs) {
  const absent = platformPackages().map(({ name }) => [name, '-'])
  return Object.fromEntries([...absent, ...tarballs.map((t) => [t.manifest.name, `file:${t.filename}`])])
}

/**
 * @param {{ root: string, work: string, packages: readonly PublicPackage[], tarballs: readonly Tarball[] }} from `work` is empty
 * @returns {Consumer[]} one for each package that is not a platform's
 * @throws Error when the installation fails
 */
export function installConsumers({ root, work, packages, tarballs }) {
  const consumers = packages.filter((p) => p.target === undefined).map((p) => consumerOf(root, work, p))
  const workspace = {
    packages: ['consumers/*'],
    overrides: { ...linksToOthers(root, packages), ...ourTarballs(tarballs) },
    hoist: false,
    storeDir: join(work, 'store'),
  }
  writeFileSync(join(work, 'package.json'), JSON.stringify({ name: 'consumers', private: true }))
  writeFileSync(join(work, 'pnpm-workspace.yaml'), JSON.stringify(workspace))
  const pnpm = join(root, 'node_modules/.bin/pnpm')
  execFileSync(pnpm, ['install', '--offline', '--reporter=append-only'], { cwd: work, encoding: 'utf8' })
  for (const { name, folder } of consumers)
    if (!existsSync(join(folder, 'node_modules', name))) throw new Error(`${name} was not installed into ${folder}`)
  return consumers
}
