// Enforces the layering of ARCHITECTURE.md and keeps its figure true.
//   node scripts/layering.mjs          fails on a wrong edge between packages or between the folders inside one, on a circle of
//                                      folders or files, on a client import where secrets must not be, on a stale figure
//   node scripts/layering.mjs --write  redraws the figure
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { packages, folders, circlesLeft, clientAllowed } = JSON.parse(
  readFileSync(join(root, 'scripts/layers.json'), 'utf8'),
)
const problems = []

function* files(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (['node_modules', 'dist', 'build', 'native'].includes(entry.name)) continue
    const path = join(dir, entry.name)
    if (entry.isDirectory()) yield* files(path)
    else if (/\.(ts|mts)$/.test(entry.name)) yield path
  }
}

/** Files of a package that are published: no tests, no helpers of tests. */
const isTestPath = (path) => /\.test(-helper)?\.ts$|(^|\/)(test|testing)\//.test(path)

/** Relative imports of a package's own files, by file. @param types whether imports of types count, which are gone when it runs */
function ownImports(source, types) {
  const edges = new Map()
  for (const file of files(source)) {
    const path = relative(source, file).split(sep).join('/')
    if (isTestPath(path)) continue
    const text = readFileSync(file, 'utf8').replace(/^\s*(\*|\/\/).*$/gm, '')
    const counted = types ? text : text.replace(/^(?:import|export) type [^;]*?from '[^']*'$/gm, '')
    const targets = [...counted.matchAll(/(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g)]
    edges.set(
      path,
      new Set(
        targets.map(([, to]) =>
          relative(source, join(dirname(file), to))
            .split(sep)
            .join('/'),
        ),
      ),
    )
  }
  return edges
}

/** A way from a node back to itself, or undefined. */
function findCircle(edges) {
  const state = new Map()
  const visit = (node, trail) => {
    if (state.get(node) === 'done') return undefined
    const at = trail.indexOf(node)
    if (at >= 0) return [...trail.slice(at), node]
    for (const next of edges.get(node) ?? []) {
      const circle = visit(next, [...trail, node])
      if (circle) return circle
    }
    state.set(node, 'done')
    return undefined
  }
  for (const node of edges.keys()) {
    const circle = visit(node, [])
    if (circle) return circle
  }
  return undefined
}

const top = (path) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined)

/** Edges between the folders directly below `src`, with a file that makes each; files beside them (index.ts) belong to none. */
function folderEdges(imports) {
  const edges = new Map()
  for (const [path, targets] of imports) {
    const from = top(path)
    if (from === undefined) continue
    const own = edges.get(from) ?? new Map()
    edges.set(from, own)
    for (const target of targets) {
      const to = top(target)
      if (to !== undefined && to !== from && !own.has(to)) own.set(to, path)
    }
  }
  return edges
}

/** Folders of a package as layers, the lowest first: imports go downwards, and nothing goes round in a circle. */
function checkFolders(name) {
  const source = join(root, 'packages', name, 'src')
  const imports = ownImports(source, true)
  const circle = findCircle(ownImports(source, false))
  if (circle) problems.push(`packages/${name}/src: a circle of files: ${circle.join(' -> ')}`)
  const edges = folderEdges(imports)
  const round = findCircle(new Map([...edges].map(([from, to]) => [from, to.keys()])))
  const left = circlesLeft.includes(name)
  if (round && !left) problems.push(`packages/${name}/src: a circle of folders: ${round.join(' -> ')}`)
  if (!round && left)
    problems.push(`layers.json: ${name} has no circle of folders any more: take it out of circlesLeft`)
  const order = folders[name]
  if (!order) return undefined
  for (const folder of edges.keys())
    if (!order.includes(folder)) problems.push(`packages/${name}/src/${folder} has no place in scripts/layers.json`)
  for (const [from, targets] of edges)
    for (const [to, file] of targets)
      if (order.indexOf(to) > order.indexOf(from))
        problems.push(`packages/${name}/src/${file}: ${from} may not import ${to}, which is above it`)
  return { order: order.filter((folder) => edges.has(folder)), edges }
}

const importPattern = /(?:from|import)\s*\(?\s*['"]@he-ml\/([a-z-]+)((?:\/[a-z-]+)*)['"]/g
const used = new Map()
const manifests = new Set(readdirSync(join(root, 'packages')))
for (const name of manifests) if (!packages[name]) problems.push(`packages/${name} has no entry in scripts/layers.json`)
for (const [name, { layer, uses }] of Object.entries(packages)) {
  for (const target of uses)
    if (packages[target].layer >= layer && name !== 'cli')
      problems.push(`layers.json: ${name} (layer ${layer}) -> ${target} is not downwards`)
  const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
  const runtime = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
  const declared = Object.keys(runtime)
    .filter((d) => d.startsWith('@he-ml/'))
    .map((d) => d.slice('@he-ml/'.length))
  for (const target of declared)
    if (!uses.includes(target))
      problems.push(`packages/${name}/package.json depends on @he-ml/${target}: not an allowed edge`)
  used.set(name, new Set(declared))
  for (const file of files(join(root, 'packages', name))) {
    const path = relative(root, file)
    const isTest = isTestPath(path.split(sep).join('/'))
    const isClient = path.split(sep).includes('client')
    const text = readFileSync(file, 'utf8').replace(/^\s*(\*|\/\/).*$/gm, '')
    for (const [, target, subpath] of text.matchAll(importPattern)) {
      if (target === name && isTest) continue
      if (!isTest && target !== name && !uses.includes(target))
        problems.push(`${path} imports @he-ml/${target}: not an allowed edge`)
      if (subpath.startsWith('/client') && !isTest && !isClient && !clientAllowed.includes(name))
        problems.push(`${path} imports @he-ml/${target}${subpath}: secret keys are for clients only`)
    }
    if (!isTest && !isClient && !clientAllowed.includes(name) && /from '(\.\.?\/)+client\//.test(text))
      problems.push(`${path} imports a client module: secret keys are for clients only`)
  }
}

const inside = Object.keys(packages).map((name) => [name, checkFolders(name)])

const byLayer = (layer) => Object.keys(packages).filter((name) => packages[name].layer === layer)
const id = (name) => name.replaceAll('-', '_')
const figure = [
  '```mermaid',
  'flowchart BT',
  ...[...new Set(Object.values(packages).map(({ layer }) => layer))]
    .sort()
    .flatMap((layer) => [
      `  subgraph layer${layer} [layer ${layer}]`,
      ...byLayer(layer).map((name) => `    ${id(name)}["${name}"]`),
      '  end',
    ]),
  ...[...used].flatMap(([name, targets]) => [...targets].sort().map((target) => `  ${id(name)} --> ${id(target)}`)),
  '```',
].join('\n')
const drawn = inside.filter(([, found]) => found)
const folderFigure = [
  '```mermaid',
  'flowchart BT',
  ...drawn.flatMap(([name, { order }]) => [
    `  subgraph ${id(name)} [${name}]`,
    ...order.map((folder) => `    ${id(name)}_${id(folder)}["${folder}"]`),
    '  end',
  ]),
  ...drawn.flatMap(([name, { order, edges }]) =>
    order.flatMap((from) =>
      order.filter((to) => edges.get(from).has(to)).map((to) => `  ${id(name)}_${id(from)} --> ${id(name)}_${id(to)}`),
    ),
  ),
  '```',
].join('\n')
const page = join(root, 'ARCHITECTURE.md')
const text = readFileSync(page, 'utf8')
const next = text
  .replace(/(<!-- layering:begin -->)[\s\S]*?(<!-- layering:end -->)/, `$1\n${figure}\n$2`)
  .replace(/(<!-- folders:begin -->)[\s\S]*?(<!-- folders:end -->)/, `$1\n${folderFigure}\n$2`)
if (process.argv.includes('--write')) writeFileSync(page, next)
else if (next !== text)
  problems.push('ARCHITECTURE.md: a layering figure is stale; run node scripts/layering.mjs --write')

for (const problem of problems) console.error(`layering: ${problem}`)
if (problems.length === 0)
  console.log(
    `layering: ${Object.keys(packages).length} packages, every edge downwards, in ${drawn.length} of them between folders too; no circle anywhere`,
  )
process.exit(problems.length === 0 ? 0 : 1)
