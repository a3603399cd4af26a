// The layers of the C++: an include names a file of its own folder, of its own layer or of a layer below, never one above.
// scripts/layers.json says which layers a layer may use; a layer's own tests and benchmarks may use testing too.
//   node scripts/native-layering.mjs
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = dirname(dirname(fileURLToPath(import.meta.url)))

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (/\.(h|cpp)$/.test(entry.name)) yield path
  }
}

/** What a layer may include, itself and everything below what it names. */
function reach(layers, name, seen = new Set()) {
  if (!seen.has(name)) for (const below of layers[seen.add(name) && name]) reach(layers, below, seen)
  return seen
}

/** Every include that goes up, sideways or nowhere. `native` are folders of layers; `layers` maps each to those it uses. */
export function nativeLayeringProblems(native, layers) {
  const problems = []
  const home = (path) => native.find((root) => existsSync(join(root, path)))
  for (const root of native)
    for (const file of sources(root)) {
      const path = relative(root, file).split(sep).join('/')
      const [layer, ...rest] = path.split('/')
      if (!layers[layer]) {
        problems.push(`${path}: no layer "${layer}" in scripts/layers.json`)
        continue
      }
      const allowed = reach(layers, layer)
      if (rest.includes('tests') || rest.includes('bench')) allowed.add('testing')
      for (const [, name] of readFileSync(file, 'utf8').matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)) {
        const beside = normalize(join(dirname(file), name))
        const target = existsSync(beside) ? relative(root, beside).split(sep).join('/') : home(name) && name
        if (target === undefined) problems.push(`${path} includes "${name}": there is no such file`)
        else if (target.startsWith('..') || !allowed.has(target.split('/')[0]))
          problems.push(`${path} includes "${name}": ${layer} may use ${[...allowed].join(', ')}`)
        else if (!/\/(tests|bench)\//.test(`/${path}`) && /\/(tests|bench)\//.test(`/${target}`))
          problems.push(`${path} includes "${name}": only tests may use tests`)
      }
    }
  return problems
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { native } = JSON.parse(readFileSync(join(repository, 'scripts/layers.json'), 'utf8'))
  const problems = nativeLayeringProblems(
    native.folders.map((folder) => join(repository, folder)),
    native.layers,
  )
  for (const problem of problems) console.error(`native layering: ${problem}`)
  if (problems.length === 0)
    console.log(`native layering: ${Object.keys(native.layers).length} layers, every include downwards`)
  process.exit(problems.length === 0 ? 0 : 1)
}
