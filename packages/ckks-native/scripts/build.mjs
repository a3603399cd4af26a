// Builds the native addon with CMake: node scripts/build.mjs [--quiet] [--tests] [--sanitize]
// Skips the work when no source changed since the last build. Exit code 1 when there is no CMake or no compiler.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const quiet = process.argv.includes('--quiet')
const tests = process.argv.includes('--tests')
const sanitize = process.argv.includes('--sanitize')
const buildDir = join(root, 'build', sanitize ? 'sanitize' : 'release')
const require = createRequire(join(root, 'package.json'))
const headers = [
  dirname(require.resolve('node-addon-api/napi.h')), // its own include_dir is relative to the current folder
  require('node-api-headers').include_dir,
]

function* sources(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else yield path
  }
}
const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${tests} ${sanitize}`)
for (const file of [join(root, 'CMakeLists.txt'), ...sources(join(root, 'native'))])
  hash.update(file).update(readFileSync(file))
const wanted = hash.digest('hex')
const stamp = join(buildDir, '.sources')
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) process.exit(0)

const run = (args) => {
  const result = spawnSync('cmake', args, { cwd: root, encoding: 'utf8', stdio: quiet ? 'pipe' : 'inherit' })
  if (result.error) {
    console.error(
      `ckks-native: cannot start cmake (${result.error.code}); install CMake 3.20 or newer and a C++20 compiler.`,
    )
    process.exit(1)
  }
  if (result.status !== 0) {
    if (quiet) console.error(`${result.stdout ?? ''}${result.stderr ?? ''}`)
    console.error(
      `ckks-native: cmake ${args.join(' ')} failed; a C++20 compiler (g++ 11 or clang 14 and newer) is needed.`,
    )
    process.exit(1)
  }
}
if (!quiet) console.log('setup: building the native engine')
mkdirSync(buildDir, { recursive: true })
run([
  '-S',
  root,
  '-B',
  buildDir,
  `-DCMAKE_BUILD_TYPE=${sanitize ? 'RelWithDebInfo' : 'Release'}`,
  `-DHE_ML_NATIVE_TESTS=${tests || sanitize ? 'ON' : 'OFF'}`,
  `-DHE_ML_SANITIZE=${sanitize ? 'address,undefined' : ''}`,
  // the addon runs under Node alone, and no C++ test needs it
  `-DHE_ML_NODE_HEADERS=${sanitize ? '' : headers.join(';')}`,
])
run(['--build', buildDir, '--parallel', String(Math.max(1, availableParallelism()))])
writeFileSync(stamp, wanted)
