// Enforces the layering of ARCHITECTURE.md and keeps its figure true.
//   node scripts/layering.mjs          fails on a wrong edge, on a client import where secrets must not be, on a stale figure
//   node scripts/layering.mjs --write  redraws the figure
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { packages, clientAllowed } = JSON.parse(readFileSync(join(root, 'scripts/layers.json'), 'utf8'))
const problems = []

function* files(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (['node_modules', 'dist', 'build', 'native'].includes(entry.name)) continue
    const path = join(dir, entry.name)
    if (entry.isDirectory()) yield* files(path)
    else if (/\.(ts|mts)$/.test(entry.name)) yield path
  }
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
    const isTest = /\.test(-helper)?\.ts$|(^|\/)(test|testing)\//.test(path.split(sep).join('/'))
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
const page = join(root, 'ARCHITECTURE.md')
const text = readFileSync(page, 'utf8')
const next = text.replace(/(<!-- layering:begin -->)[\s\S]*?(<!-- layering:end -->)/, `$1\n${figure}\n$2`)
if (process.argv.includes('--write')) writeFileSync(page, next)
else if (next !== text)
  problems.push('ARCHITECTURE.md: the layering figure is stale; run node scripts/layering.mjs --write')

for (const problem of problems) console.error(`layering: ${problem}`)
if (problems.length === 0) console.log(`layering: ${Object.keys(packages).length} packages, every edge downwards`)
process.exit(problems.length === 0 ? 0 : 1)
