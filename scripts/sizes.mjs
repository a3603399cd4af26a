// Gates of size that the linter does not have: files and functions of C++, and functions of tests, where the linter would count a
// `describe` as one. The others are rules of biome.json.
//   node scripts/sizes.mjs
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cppFunctions } from './sizes/cpp-functions.mjs'
import { lineCount, tooLong } from './sizes/limits.mjs'
import { testFunctions } from './sizes/test-functions.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const FUNCTION = 60

/** Files whose name matches, but not products. */
function* find(folder, pattern) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory() && !['node_modules', 'dist', 'build'].includes(entry.name)) yield* find(path, pattern)
    else if (entry.isFile() && pattern.test(entry.name)) yield path
  }
}
const sized = (pattern, functionsOf) =>
  ['packages', 'examples', 'benchmarks', 'scripts'].flatMap((folder) =>
    [...find(folder, pattern)].map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, lines: lineCount(text), functions: functionsOf(text) }
    }),
  )

const cpp = sized(/\.(h|cpp)$/, cppFunctions)
const tests = sized(/\.test\.ts$/, testFunctions)
const problems = [
  ...tooLong(cpp, { file: 450, function: FUNCTION }),
  // how long a file of tests may be is a rule of biome.json
  ...tooLong(tests, { file: Number.POSITIVE_INFINITY, function: FUNCTION }),
]
for (const problem of problems) console.error(`sizes: ${problem}`)
if (problems.length === 0) console.log(`sizes: ${cpp.length} files of C++ and ${tests.length} of tests, none too long`)
process.exitCode = problems.length === 0 ? 0 : 1
