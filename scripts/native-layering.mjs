// The layers of the C++, as scripts/layers.json says which layers a layer may use; a layer's own tests and benchmarks may use testing
// too.
//   node scripts/native-layering.mjs
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nativeLayeringProblems } from './layering/native.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { native } = JSON.parse(readFileSync(join(root, 'scripts/layers.json'), 'utf8'))
const problems = nativeLayeringProblems(
  native.folders.map((folder) => join(root, folder)),
  native.layers,
)
for (const problem of problems) console.error(`native layering: ${problem}`)
if (problems.length === 0)
  console.log(`native layering: ${Object.keys(native.layers).length} layers, every include downwards, no circle`)
process.exitCode = problems.length === 0 ? 0 : 1
