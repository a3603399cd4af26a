// Everything a clean clone needs before the demo or the tests: dependencies, then the native engine.
// Plain Node, no dependencies of its own. Skips what is already up to date.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const quiet = process.argv.includes('--quiet')
const say = (line) => quiet || console.log(line)

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`HE-ML needs Node 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
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

const native = spawnSync(
  process.execPath,
  [join(root, 'packages/ckks-native/scripts/build.mjs'), ...(quiet ? ['--quiet'] : [])],
  {
    cwd: root,
    stdio: 'inherit',
  },
)
if (native.status !== 0) {
  console.error('setup: the native engine could not be built; the node-seal engine will be used where it can.')
}
