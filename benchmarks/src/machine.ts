/** The first row: what the numbers were measured on, and how busy it was before. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os'
import { join } from 'node:path'
import { kernels, nativeAvailable } from '@he-ml/ckks-native'
import { nativeBuild, repositoryRoot } from './places.ts'
import type { MachineRow } from './rows.ts'

const LATER_PARTS = 3

export function machineRow(args: readonly string[]): MachineRow {
  const native = nativeAvailable()
  return {
    name: 'machine',
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Number((totalmem() / 1e9).toFixed(1)),
    loadBefore: loadavg().map((l) => Number(l.toFixed(2))),
    kernel: native ? kernels().active : 'none',
    node: process.version,
    compiler: compiler(),
    platform: `${platform()} ${arch()}`,
    versions: { v8: process.versions.v8, nodeSeal: version('node-seal') },
    commit: commit(),
    command: `npm run bench -- ${args.map(withoutPath).join(' ')}`,
    date: new Date().toISOString(),
  }
}

/** Result files are published: a folder of this machine says nothing to anybody else. */
export const withoutPath = (argument: string): string => {
  const parts = argument.split('/')
  return parts.length >= LATER_PARTS || argument.startsWith('/') || argument.startsWith('..')
    ? `.../${parts.at(-1)}`
    : argument
}

function version(name: string): string {
  const file = join(repositoryRoot, 'benchmarks', 'node_modules', name, 'package.json')
  return existsSync(file) ? String((JSON.parse(readFileSync(file, 'utf8')) as { version: unknown }).version) : 'absent'
}

function commit(): string {
  const id = output('git', ['-C', repositoryRoot, 'rev-parse', '--short=12', 'HEAD'])
  if (id === undefined) return 'unknown'
  const changed = output('git', ['-C', repositoryRoot, 'status', '--porcelain', '--untracked-files=no', 'packages'])
  return changed ? `${id} and changes` : id
}

function compiler(): string {
  const cache = join(nativeBuild('ckks-native'), 'CMakeCache.txt')
  if (!existsSync(cache)) return 'unknown'
  const path = /^CMAKE_CXX_COMPILER:\w+=(.+)$/m.exec(readFileSync(cache, 'utf8'))?.[1]
  return (
    (path &&
      output(path, ['--version'])
        ?.split('\n')[0]
        ?.replace(/^\S*\//, '')) ||
    'unknown'
  )
}

function output(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}
