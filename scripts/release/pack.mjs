// Packs every public package as a release does, into .release, and checks the tarballs: node scripts/release/pack.mjs
// Platform packages that cannot be built on this machine are named and left out; a release on such a machine fails.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { targetProblem } from '../../packages/native-runtime/scripts/targets.mjs'
import { platformPackages } from '../platforms/platform-packages.mjs'
import { publicPackages } from './public-packages.mjs'
import { platformProblems, tarballProblems } from './tarballs.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const into = join(root, '.release')

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status === 0) return stdout
  console.error(`release: ${command} ${args.slice(0, 4).join(' ')} failed\n${stdout}${stderr}${error ?? ''}`)
  process.exit(1)
}

const packages = publicPackages(root).filter(({ manifest, target }) => {
  const problem = target && targetProblem(target)
  if (problem) console.log(`release: ${manifest.name} is not packed: ${problem}`)
  return !problem
})
rmSync(into, { recursive: true, force: true })
mkdirSync(into)
const filters = packages.map(({ manifest }) => `--filter=${manifest.name}`)
const said = run(join(root, 'node_modules/.bin/pnpm'), [
  '--recursive',
  ...filters,
  'pack',
  '--json',
  '--pack-destination',
  into,
])
// the scripts that it runs are named before
const packed = JSON.parse(said.slice(said.search(/^\[/m)))
// npm's scripts would do again what pnpm's just did
const folders = packages.map(({ folder }) => `./${folder}`)
const byNpm = JSON.parse(run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', ...folders]))

const paths = ({ files }) => files.map(({ path }) => path)
const tarballs = packages.map(({ manifest: { name } }) => {
  const { filename, ...ours } = packed.find((p) => p.name === name)
  const manifest = JSON.parse(run('tar', ['-xzOf', filename, 'package/package.json']))
  return { filename, files: paths(ours), byNpm: paths(byNpm.find((p) => p.name === name)), manifest }
})
const manifestOf = (name) => tarballs.find(({ manifest }) => manifest.name === name)?.manifest
const problems = tarballs.flatMap((tarball) => {
  const { name } = tarball.manifest
  const platform = platformPackages().find((p) => p.name === name)
  const main = platform && manifestOf(`@he-ml/${platform.main}`)
  const found = [...tarballProblems(tarball), ...(platform ? platformProblems(tarball, { ...platform, main }) : [])]
  return found.map((problem) => `${name} ${problem}`)
})
for (const problem of problems) console.error(`release: ${problem}`)
writeFileSync(
  join(into, 'tarballs.json'),
  JSON.stringify(tarballs.map(({ filename, manifest }) => ({ filename, manifest }))),
)
if (problems.length === 0) console.log(`release: ${tarballs.length} tarballs, the same from npm as from pnpm`)
process.exit(problems.length === 0 ? 0 : 1)
