// npm run check: types, lint, sizes, layering, READMEs, manifests, published packages, unused code, API site, links, documentation
// snippets, and that the C++ benchmark programs, which no test needs, can be built.
// node scripts/check.mjs [STEP...] runs only the named steps.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = (name) => join(root, 'node_modules/.bin', name)
const packages = readdirSync(join(root, 'packages'))
const steps = {
  types: [[bin('tsc'), '--noEmit', '-p', 'tsconfig.json']],
  lint: [
    [bin('biome'), 'check', '.'],
    [process.execPath, 'scripts/cpp-format.mjs'],
  ],
  sizes: [[process.execPath, 'scripts/sizes.mjs']],
  layering: [
    [process.execPath, 'scripts/layering.mjs'],
    [process.execPath, 'scripts/native-layering.mjs'],
  ],
  readmes: [[process.execPath, 'scripts/readmes.mjs']],
  manifests: [[bin('sherif')]],
  build: [['npm', 'run', '--silent', 'build']],
  publint: packages.map((name) => [bin('publint'), 'run', '--strict', '--pack', 'pnpm', join('packages', name)]),
  attw: packages.map((name) => [
    bin('attw'),
    '--pack',
    join('packages', name),
    '--profile',
    'esm-only',
    '--format',
    'ascii',
    '-q',
  ]),
  unused: [[bin('knip'), '--no-config-hints']],
  docs: [[process.execPath, 'scripts/api.mjs']],
  links: [[process.execPath, 'scripts/links.mjs']],
  snippets: [[process.execPath, 'scripts/snippets.mjs']],
  benchmarks: ['float-kernels', 'ckks-native'].map((name) => [
    process.execPath,
    join('packages', name, 'scripts/build.mjs'),
    '--quiet',
    '--bench',
  ]),
}
const wanted = process.argv.slice(2).filter((a) => !a.startsWith('-'))
const failures = []
for (const [name, commands] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const started = Date.now()
  for (const [command, ...args] of commands) {
    const env = {
      ...process.env,
      PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
      TURBO_TELEMETRY_DISABLED: '1',
    }
    const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', env })
    if (result.status !== 0) {
      failures.push(`${name}: ${args.join(' ')}`)
      console.error(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`)
    }
  }
  console.log(`check ${name}: ${((Date.now() - started) / 1000).toFixed(1)} s`)
}
for (const failure of failures) console.error(`check failed: ${failure}`)
process.exit(failures.length === 0 ? 0 : 1)
