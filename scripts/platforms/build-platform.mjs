// Compiles the addons of a platform package and puts them, stripped, into its folder.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildNative } from '../../packages/native-runtime/scripts/build-native.mjs'
import { targetProblem } from '../../packages/native-runtime/scripts/targets.mjs'
import { needsOf, portabilityProblems } from './elf.mjs'
import { GLIBC } from './platform-packages.mjs'

/** @throws Error when there is no compiler for the target, or what was compiled could not run on every such machine */
export function buildPlatform(root, { main, target, name, folder, addons }) {
  const problem = targetProblem(target)
  if (problem !== undefined) throw new Error(`${name} cannot be built here: ${problem}`)
  const built = buildNative(join(root, 'packages', main), ['--quiet', `--target=${target}`])
  const into = join(root, folder)
  const install = ['--install', built, '--strip', '--component', 'addon', '--prefix', into]
  const { status, stderr } = spawnSync('cmake', install, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name}: cmake ${install.join(' ')} failed\n${stderr}`)
  for (const addon of addons) {
    const problems = portabilityProblems(needsOf(join(into, `${addon}.node`)), { target, glibc: GLIBC })
    if (problems.length > 0) throw new Error(`${name}: ${addon}.node ${problems.join('; ')}`)
  }
}
