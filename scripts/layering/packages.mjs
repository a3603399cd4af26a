// @ts-check
/** Edges between packages: as manifests declare them and as files import them. */

/** @typedef {import('./source-files.mjs').SourceFile} SourceFile */

/**
 * What scripts/layers.json says of a package.
 * @typedef {object} PackageLayer
 * @property {number} layer
 * @property {readonly string[]} uses packages of lower layers
 * @property {readonly string[]} [folders] of its src, the lowest first
 */

/** @typedef {{ readonly name: string } & Readonly<Partial<Record<string, Readonly<Record<string, string>> | string>>>} Manifest */

/**
 * Edges of the table itself that do not go downwards.
 * @param {Readonly<Record<string, PackageLayer>>} packages
 * @returns {string[]} problems
 */
export function tableProblems(packages) {
  return Object.entries(packages).flatMap(([name, { layer, uses }]) =>
    uses
      .filter((target) => !((packages[target]?.layer ?? Number.POSITIVE_INFINITY) < layer))
      .map((target) => `scripts/layers.json: ${name} (layer ${layer}) -> ${target} is not downwards`),
  )
}

/**
 * Packages of ours that a manifest needs at run time; not those of its platforms, which hold its own addon.
 * @param {Manifest} manifest
 * @returns {string[]}
 */
export const declaredPackages = (manifest) =>
  ['dependencies', 'peerDependencies', 'optionalDependencies']
    .flatMap((kind) => Object.keys(manifest[kind] ?? {}))
    .filter((name) => name.startsWith('@he-ml/') && !name.startsWith(`${manifest.name}-`))
    .map((name) => name.slice('@he-ml/'.length))

/**
 * Edges of one package that the table does not allow.
 * @param {string} name
 * @param {{ uses: readonly string[], declared: readonly string[], sources: readonly SourceFile[] }} of
 * @returns {string[]} problems
 */
export function packageProblems(name, { uses, declared, sources }) {
  const problems = declared
    .filter((target) => !uses.includes(target))
    .map((target) => `packages/${name}/package.json depends on @he-ml/${target}: not an allowed edge`)
  for (const { path, isTest, imports } of sources) {
    if (isTest) continue
    for (const imported of imports) {
      const target = /^@he-ml\/([^/]+)/.exec(imported)?.[1]
      if (target !== undefined && target !== name && !uses.includes(target))
        problems.push(`packages/${name}/${path} imports @he-ml/${target}: not an allowed edge`)
    }
  }
  return problems
}
