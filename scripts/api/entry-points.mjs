// Whether typedoc is told of all that a package offers.

/**
 * Subpaths of a package that its pages leave out.
 * @param exports of the package's manifest
 * @param entryPoints of its typedoc.json
 */
export function hiddenEntryPoints(exports, entryPoints) {
  const sources = Object.values(exports).map((entry) => entry['@he-ml/source'] ?? '')
  return sources
    .map((source) => source.replace(/^\.\//, ''))
    .filter((source) => /\.ts$/.test(source) && !entryPoints.includes(source))
}
