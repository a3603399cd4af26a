// @ts-check
/**
 * The layers of the C++: an include names a file of its own folder, of its own layer or of a layer below, never one above, and no
 * files include each other in a circle.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { findCircle } from './circles.mjs'

/** @typedef {Readonly<Record<string, readonly string[]>>} NativeLayers */

/** @param {string} folder @returns {Generator<string>} */
function* sources(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (/\.(h|cpp)$/.test(entry.name)) yield path
  }
}

/**
 * What a layer may include: itself and everything below what it names.
 * @param {NativeLayers} layers
 * @param {string} name
 * @param {Set<string>} [seen]
 * @returns {Set<string>}
 */
function reach(layers, name, seen = new Set()) {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const below of layers[name] ?? []) reach(layers, below, seen)
  return seen
}

/** @param {string} path @returns {boolean} */
const isForTests = (path) => /\/(tests|bench)\//.test(`/${path}`)

/**
 * What is wrong with one include; undefined for nothing.
 * @param {{ path: string, name: string, target: string | undefined, allowed: ReadonlySet<string>, layer: string }} include
 * @returns {string | undefined}
 */
function includeProblem({ path, name, target, allowed, layer }) {
  if (target === undefined) return `${path} includes "${name}": there is no such file`
  if (target.startsWith('..') || !allowed.has(target.split('/')[0] ?? ''))
    return `${path} includes "${name}": ${layer} may use ${[...allowed].join(', ')}`
  if (!isForTests(path) && isForTests(target)) return `${path} includes "${name}": only tests may use tests`
  return undefined
}

/**
 * Every include that goes up, sideways or nowhere, and a circle of includes.
 * @param {readonly string[]} roots folders of layers; an include may start at any of them
 * @param {NativeLayers} layers those that each layer uses
 * @returns {string[]} problems
 */
export function nativeLayeringProblems(roots, layers) {
  /** @type {string[]} */
  const problems = []
  /** @type {Map<string, Set<string>>} */
  const graph = new Map()
  for (const root of roots)
    for (const file of sources(root)) {
      const path = relative(root, file).split(sep).join('/')
      const [layer = '', ...rest] = path.split('/')
      if (!layers[layer]) {
        problems.push(`${path}: no layer "${layer}" in scripts/layers.json`)
        continue
      }
      const allowed = reach(layers, layer)
      if (rest.includes('tests') || rest.includes('bench')) allowed.add('testing')
      /** @type {Set<string>} */
      const targets = new Set()
      graph.set(path, targets)
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)) {
        const beside = normalize(join(dirname(file), name))
        const isHere = roots.some((home) => existsSync(join(home, name)))
        const target = existsSync(beside) ? relative(root, beside).split(sep).join('/') : isHere ? name : undefined
        if (target !== undefined) targets.add(target)
        const problem = includeProblem({ path, name, target, allowed, layer })
        if (problem) problems.push(problem)
      }
    }
  const circle = findCircle(graph)
  if (circle) problems.push(`a circle of includes: ${circle.join(' -> ')}`)
  return problems
}
