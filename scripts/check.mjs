// npm run check: types, lint, sizes, layering, READMEs, manifests, a release that is packed and installed but not published, unused
// code, API site, links, documentation snippets, and that the C++ benchmark programs, which no test needs, can be built.
// node scripts/check.mjs [STEP...] runs only the named steps; publint, attw and install look at what pack has packed.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = (name) => join(root, 'node_modules/.bin', name)
/** Tarballs that can be imported; the step `pack` makes them. */
const modules = () =>
  JSON.parse(readFileSync(join(root, '.release/tarballs.json'), 'utf8'))
    .filter(({ manifest }) => manifest.exports)
    .map(({ filename }) => filename)
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
  manifests: [[bin('sherif')], [process.execPath, 'scripts/platforms.mjs']],
  build: [['npm', 'run', '--silent', 'build']],
  // the tarballs of a release, and what users make of them
  pack: [[process.execPath, 'scripts/release/pack.mjs']],
  publint: () => modules().map((tarball) => [bin('publint'), 'run', '--strict', tarball]),
  attw: () => modules().map((tarball) => [bin('attw'), tarball, '--profile', 'esm-only', '--format', 'ascii', '-q']),
  install: [[process.execPath, 'scripts/release/install.mjs']],
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

function commandsOf(name, commands) {
  if (typeof commands !== 'function') return commands
  try {
    return commands()
  } catch (error) {
    failures.push(`${name}: the step pack comes first (${error.message})`)
    return []
  }
}

for (const [name, commands] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const started = Date.now()
  for (const [command, ...args] of commandsOf(name, commands)) {
    const env = {
      ...process.env,
      PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
      TURBO_TELEMETRY_DISABLED: '1',
    }
    const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', env })
    if (result.status !== 0) {
      failures.push(`${name}: ${args.join(' ')}`)
      console.error(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`)
    } else if (name === 'pack') process.stdout.write(result.stdout) // what a release from here would lack
  }
  console.log(`check ${name}: ${((Date.now() - started) / 1000).toFixed(1)} s`)
}
for (const failure of failures) console.error(`check failed: ${failure}`)
process.exit(failures.length === 0 ? 0 : 1)
