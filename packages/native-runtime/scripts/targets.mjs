// Machines that addons are compiled for beforehand: each has a platform package. A machine builds for itself with its own compiler,
// for another with a cross compiler.
import { spawnSync } from 'node:child_process'

/** By what Node calls platform and architecture; `debian` is the package of the cross compiler there. */
export const TARGETS = {
  'linux-x64': { processor: 'x86_64', compiler: 'x86_64-linux-gnu-g++', debian: 'g++-x86-64-linux-gnu' },
  'linux-arm64': { processor: 'aarch64', compiler: 'aarch64-linux-gnu-g++', debian: 'g++-aarch64-linux-gnu' },
}

/** The machine this runs on. */
export const hostTarget = () => `${process.platform}-${process.arch}`

/** Why addons for a target cannot be built here; undefined when they can. */
export function targetProblem(target) {
  if (target === hostTarget()) return undefined
  const wanted = TARGETS[target]
  if (wanted === undefined) return `no addon is built for ${target}, only for ${Object.keys(TARGETS).join(' and ')}`
  if (spawnSync(wanted.compiler, ['--version']).status === 0) return undefined
  return `this is ${hostTarget()}, and there is no cross compiler ${wanted.compiler} for ${target} (Debian: apt-get install ${wanted.debian})`
}

/** CMake's options to build for a target other than this machine. @throws Error saying what is missing */
export function crossCompilation(target) {
  const problem = targetProblem(target)
  if (problem !== undefined) throw new Error(problem)
  const { processor, compiler } = TARGETS[target]
  return [
    '-DCMAKE_SYSTEM_NAME=Linux',
    `-DCMAKE_SYSTEM_PROCESSOR=${processor}`,
    `-DCMAKE_CXX_COMPILER=${compiler}`,
    `-DCMAKE_STRIP=${compiler.replace('g++', 'strip')}`,
  ]
}
