// Everything a clean clone needs before the demo or the tests: dependencies, then the native addons.
// Plain Node, no dependencies of its own. Skips what is already up to date. With --tests it first looks for what the C++ tests need,
// and ends without it; for everything else an addon that cannot be built is said and left out.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingText, missingTools } from './toolchain.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const quiet = process.argv.includes('--quiet')
const say = (line) => quiet || console.log(line)

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`HE-ML needs Node 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

if (process.argv.includes('--tests')) {
  const missing = missingTools()
  if (missing.length > 0) {
    console.error(missingText(missing))
    process.exit(1)
  }
}

const pnpm = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager
const stamp = join(root, 'node_modules', '.setup-stamp')
const wanted = createHash('sha256')
  .update(pnpm)
  .update(readFileSync(join(root, 'pnpm-lock.yaml')))
  .update(process.versions.modules)
  .digest('hex')
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  say('setup: installing dependencies')
  const install = spawnSync('npx', ['-y', pnpm, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdio: quiet ? ['ignore', 'ignore', 'inherit'] : 'inherit',
  })
  if (install.status !== 0) process.exit(install.status ?? 1)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

const addons = {
  'ckks-native': 'the native engine could not be built; the node-seal engine will be used where it can.',
  'float-kernels': 'the native f32 kernels could not be built; loops in TypeScript will be used where they can.',
}
for (const [name, otherwise] of Object.entries(addons)) {
  const script = join(root, 'packages', name, 'scripts/build.mjs')
  const build = spawnSync(process.execPath, [script, ...(quiet ? ['--quiet'] : [])], { cwd: root, stdio: 'inherit' })
  if (build.status !== 0) console.error(`setup: ${otherwise}`)
}
