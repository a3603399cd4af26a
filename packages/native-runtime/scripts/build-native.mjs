// Builds one of the C++ projects with CMake, for the build.mjs of each: [--quiet] [--tests] [--bench] [--sanitize] [--thread]
// [--target=linux-arm64]
// --sanitize and --thread build the test programs under AddressSanitizer and UBSan, or under ThreadSanitizer, without the addon.
// --target builds for another machine, in a folder of its own, with the cross compiler that targets.mjs names.
// Skips the work when no source changed since all that is asked for was built. Exit code 1 when there is no CMake or no compiler.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crossCompilation, hostTarget } from './targets.mjs'

const runtime = dirname(dirname(fileURLToPath(import.meta.url)))

function* filesBelow(place) {
  for (const entry of readdirSync(place, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(place, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else yield path
  }
}

/** Hash of everything that decides what the build makes. */
function hashOf(root) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  const folders = new Set([join(runtime, 'cmake'), join(runtime, 'native'), join(root, 'native')])
  for (const file of [join(root, 'CMakeLists.txt'), ...[...folders].flatMap((folder) => [...filesBelow(folder)])])
    hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}

/** Folders of node-addon-api (whose own include_dir is relative to the current folder) and node-api-headers. */
function nodeHeaders() {
  const require = createRequire(import.meta.url)
  return [dirname(require.resolve('node-addon-api/napi.h')), require('node-api-headers').include_dir]
}

/** What a build folder holds: the sources it was made of, and which parts beside the libraries. Nothing is built where it is empty. */
function builtIn(stamp) {
  try {
    return JSON.parse(readFileSync(stamp, 'utf8'))
  } catch {
    return {}
  }
}

/** @param root folder of the project's CMakeLists.txt @param argv the options above @returns the build folder */
export function buildNative(root, argv) {
  const name = basename(root)
  const quiet = argv.includes('--quiet')
  const sanitizers = argv.includes('--thread') ? 'thread' : argv.includes('--sanitize') ? 'address,undefined' : ''
  const tests = argv.includes('--tests') || sanitizers !== ''
  const target = argv.find((a) => a.startsWith('--target='))?.slice('--target='.length) ?? hostTarget()
  const release = target === hostTarget() ? 'release' : target
  const kind = sanitizers === '' ? release : sanitizers === 'thread' ? 'thread' : 'sanitize'
  const buildDir = join(root, 'build', kind)
  const stamp = join(buildDir, '.built')
  const before = builtIn(stamp)
  const sources = hashOf(root)
  const asked = { tests, bench: argv.includes('--bench') }
  if (before.sources === sources && Object.keys(asked).every((part) => before[part] || !asked[part])) return buildDir
  // what was asked for once is kept up to date
  const parts = Object.fromEntries(Object.keys(asked).map((part) => [part, asked[part] || before[part] === true]))

  const run = (args) => {
    const result = spawnSync('cmake', args, { cwd: root, encoding: 'utf8', stdio: quiet ? 'pipe' : 'inherit' })
    if (result.error) {
      console.error(
        `${name}: cannot start cmake (${result.error.code}); install CMake 3.20 or newer and a C++20 compiler.`,
      )
      process.exit(1)
    }
    if (result.status !== 0) {
      if (quiet) console.error(`${result.stdout ?? ''}${result.stderr ?? ''}`)
      console.error(
        `${name}: cmake ${args.join(' ')} failed; a C++20 compiler (g++ 11 or clang 14 and newer) is needed.`,
      )
      process.exit(1)
    }
  }
  if (!quiet) console.log(`building ${name}`)
  mkdirSync(buildDir, { recursive: true })
  run([
    '-S',
    root,
    '-B',
    buildDir,
    `-DCMAKE_BUILD_TYPE=${sanitizers === '' ? 'Release' : 'RelWithDebInfo'}`,
    `-DHE_ML_RUNTIME=${runtime}`,
    `-DHE_ML_NATIVE_TESTS=${parts.tests ? 'ON' : 'OFF'}`,
    `-DHE_ML_NATIVE_BENCH=${parts.bench ? 'ON' : 'OFF'}`,
    `-DHE_ML_SANITIZE=${sanitizers}`,
    // the addon runs under Node alone, and no C++ test needs it
    `-DHE_ML_NODE_HEADERS=${sanitizers === '' ? nodeHeaders().join(';') : ''}`,
    ...(target === hostTarget() ? [] : crossCompilation(target)),
  ])
  run(['--build', buildDir, '--parallel', String(Math.max(1, availableParallelism()))])
  writeFileSync(stamp, JSON.stringify({ sources, ...parts }))
  if (!quiet) console.log(`${name} is built, in ${buildDir}`)
  return buildDir
}
