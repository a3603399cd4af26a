// @ts-check
/**
 * Platform packages: one for each main package with an addon and each machine it is compiled for beforehand, in
 * packages/MAIN/platforms/TARGET. Manifest and README are made from what stands here and the main package's manifest.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TARGETS } from '../../packages/native-runtime/scripts/targets.mjs'

/** Main packages, by folder, and the addons that each compiles. */
export const ADDONS = { 'ckks-native': ['he_ml_client', 'he_ml_native'], 'float-kernels': ['he_ml_float'] }

/** The oldest glibc that the addons may ask for: Debian 12, Ubuntu 22.04, RHEL 9. */
export const GLIBC = '2.34'

/**
 * A platform package.
 * @typedef {object} PlatformPackage
 * @property {string} main folder of the main package in packages/
 * @property {string} target platform and architecture, `linux-x64`
 * @property {string} name
 * @property {string} folder in the repository
 * @property {readonly string[]} addons names of files without .node
 */

/** @returns {PlatformPackage[]} */
export const platformPackages = () =>
  Object.entries(ADDONS).flatMap(([main, addons]) =>
    Object.keys(TARGETS).map((target) => ({
      main,
      target,
      name: `@he-ml/${main}-${target}`,
      folder: `packages/${main}/platforms/${target}`,
      addons,
    })),
  )

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/**
 * os, cpu and libc are for those who install: in the repository pnpm would refuse the packages of other machines.
 * @param {PlatformPackage} of
 * @param {{ version: string, license: string, engines: object, repository: object }} main its manifest
 */
function manifestOf({ main: folder, target, name, folder: directory }, main) {
  const [os, cpu] = target.split('-')
  return {
    name,
    version: main.version,
    description: `The compiled addon of @he-ml/${folder} for ${os} ${cpu} (glibc)`,
    license: main.license,
    engines: main.engines,
    repository: { ...main.repository, directory },
    files: ['*.node'],
    publishConfig: { access: 'public', os: [os], cpu: [cpu], libc: ['glibc'] },
    scripts: { prepack: 'node ../../../../scripts/prepack.mjs' },
  }
}

/** @param {PlatformPackage} of */
const readmeOf = ({ main, target, name }) => `# ${name}

The compiled addon of \`@he-ml/${main}\` for ${target.replace('-', ' ')}, glibc ${GLIBC} or newer. It comes with that package, in the same version;
nobody needs it alone. On other machines \`node node_modules/@he-ml/${main}/scripts/build.mjs\` compiles the sources.
`

/**
 * What a platform package's folder holds in the repository.
 * @param {string} root
 * @param {PlatformPackage} of
 * @returns {{ path: string, text: string }[]}
 */
export function filesOf(root, of) {
  const manifest = manifestOf(of, readJson(join(root, 'packages', of.main, 'package.json')))
  return [
    { path: `${of.folder}/package.json`, text: `${JSON.stringify(manifest, null, 2)}\n` },
    { path: `${of.folder}/README.md`, text: readmeOf(of) },
  ]
}

/**
 * What the rest of the repository must say of platform packages: the main one's dependencies, and versions that move together.
 * @param {{ optionalDependencies?: Record<string, string> }} manifest of the main package
 * @param {readonly (readonly string[])[]} fixed of the configuration of changesets
 * @param {string} main
 * @returns {string[]} problems
 */
export function mainProblems(main, manifest, fixed) {
  const names = platformPackages()
    .filter((p) => p.main === main)
    .map((p) => p.name)
  const problems = names
    .filter((name) => manifest.optionalDependencies?.[name] !== 'workspace:*')
    .map((name) => `packages/${main}/package.json: optionalDependencies must have ${name} as "workspace:*"`)
  const group = [`@he-ml/${main}`, ...names]
  if (!fixed.some((other) => String([...other].sort()) === String([...group].sort())))
    problems.push(`.changeset/config.json: "fixed" must have the group ${group.join(', ')}`)
  return problems
}
