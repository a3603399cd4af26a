// Installs every public package as its README says, from the tarballs of pack.mjs, into folders of their own; checks types, runs the
// programs of the README in plain Node, bundles for browsers what claims to run there, and computes with the addons of the platform's packages.
//   node scripts/release/install.mjs                what npm run check does
//   node scripts/release/install.mjs --from-source  also takes the platform's packages away and builds the addons as the error advises
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hostTarget, TARGETS } from '../../packages/native-runtime/scripts/targets.mjs'
import { addonProblems } from './consumer-addons.mjs'
import { bundlePrograms } from './consumer-bundles.mjs'
import { runNode, runPrograms } from './consumer-programs.mjs'
import { typeProblems } from './consumer-types.mjs'
import { installConsumers } from './consumers.mjs'
import { publicPackages } from './public-packages.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const list = join(root, '.release/tarballs.json')
if (!existsSync(list)) {
  console.error('release: there are no tarballs; run node scripts/release/pack.mjs first')
  process.exit(1)
}
const fromSource = process.argv.includes('--from-source')
const tarballs = JSON.parse(readFileSync(list, 'utf8'))
const packages = publicPackages(root)
const work = realpathSync(mkdtempSync(join(tmpdir(), 'he-ml-release-')))

/** Commands that packages bring, as they are linked into a project. */
async function commandProblems(consumers) {
  const problems = []
  for (const { manifest } of packages)
    for (const command of Object.keys(manifest.bin ?? {})) {
      const { folder } = consumers.find(({ name }) => name === manifest.name)
      const { ok, output } = await runNode(folder, [
        join('node_modules', manifest.name, manifest.bin[command]),
        '--help',
      ])
      if (!ok || !output.includes(command)) problems.push(`${manifest.name}: ${command} --help failed\n${output}`)
    }
  return problems
}

try {
  const consumers = installConsumers({ root, work, packages, tarballs })
  const programs = await runPrograms(consumers)
  const bundles = await bundlePrograms(consumers)
  const problems = [
    ...typeProblems(consumers),
    ...programs.problems,
    ...bundles.problems,
    ...(await commandProblems(consumers)),
    ...(await addonProblems(consumers, fromSource)),
  ]
  for (const problem of problems) console.error(`release: ${problem}`)
  if (!(hostTarget() in TARGETS)) console.log(`release: no platform package is for ${hostTarget()}`)
  if (problems.length === 0)
    console.log(
      `release: ${consumers.length} packages installed, types checked twice, ${programs.count} programs ran, ${bundles.count} bundled for browsers${fromSource ? ', addons built from source' : ''}`,
    )
  process.exitCode = problems.length === 0 ? 0 : 1
} catch (error) {
  console.error(`release: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  process.exitCode = 1
} finally {
  rmSync(work, { recursive: true, force: true })
}
