// @ts-check
/** What is wrong with a tarball, by its files and its manifest. */

/**
 * @typedef {{ name: string, version: string, exports?: unknown, optionalDependencies?: Record<string, string> }
 *   & Readonly<Record<string, unknown>>} PackedManifest
 */

/**
 * A packed package.
 * @typedef {object} Tarball
 * @property {readonly string[]} files paths in the package, as pnpm packed them
 * @property {readonly string[]} byNpm the same, as npm would
 * @property {PackedManifest} manifest
 */

const DEPENDENCIES = ['dependencies', 'optionalDependencies', 'peerDependencies']

/** @param {Tarball} tarball @returns {string[]} problems */
export function tarballProblems({ files, byNpm, manifest }) {
  const problems = ['LICENSE', 'README.md'].filter((file) => !files.includes(file)).map((file) => `has no ${file}`)
  const [ours, theirs] = [new Set(files), new Set(byNpm)]
  problems.push(...files.filter((file) => !theirs.has(file)).map((file) => `${file} is packed by pnpm, not by npm`))
  problems.push(...byNpm.filter((file) => !ours.has(file)).map((file) => `${file} is packed by npm, not by pnpm`))
  for (const kind of DEPENDENCIES)
    for (const [name, range] of Object.entries(manifest[kind] ?? {}))
      if (/^(workspace|catalog|link|file):/.test(range)) problems.push(`${kind} has ${name} as "${range}"`)
  if (JSON.stringify(manifest.exports ?? {}).includes('@he-ml/source')) problems.push('exports name sources')
  return problems
}

/**
 * @param {Tarball} tarball of a platform package
 * @param {{ target: string, addons: readonly string[], main: Tarball['manifest'] }} of the manifest as its main package was packed
 * @returns {string[]} problems
 */
export function platformProblems({ files, manifest }, { target, addons, main }) {
  const [os, cpu] = target.split('-')
  const problems = []
  for (const [field, wanted] of Object.entries({ os, cpu, libc: 'glibc' }))
    if (String(manifest[field]) !== wanted) problems.push(`${field} is ${manifest[field]}, expected ${wanted}`)
  const wanted = [...addons.map((addon) => `${addon}.node`), 'LICENSE', 'README.md', 'package.json'].sort()
  const got = files.filter((file) => file !== 'CHANGELOG.md').sort()
  if (String(got) !== String(wanted)) problems.push(`holds ${got.join(', ')}, expected ${wanted.join(', ')}`)
  const asked = main.optionalDependencies?.[manifest.name]
  if (asked !== manifest.version) problems.push(`is version ${manifest.version}, and ${main.name} wants ${asked}`)
  return problems
}
