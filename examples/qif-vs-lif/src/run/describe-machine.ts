/** What runs were done on: recorded beside the results, which do not depend on it. */
import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CellRecord } from '../cells/record.ts'

/** @see CellRecord */
export function describeMachine(): Omit<CellRecord['execution'], 'seconds' | 'date'> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    commit: commit(),
  }
}

function commit(): string {
  const id = git('rev-parse', '--short=12', 'HEAD')
  if (id === undefined) return 'unknown'
  const changed = git('status', '--porcelain', '--untracked-files=no', ':/packages', ':/examples/**/src')
  return changed ? `${id} and changes` : id
}

function git(...args: readonly string[]): string | undefined {
  try {
    const cwd = dirname(fileURLToPath(import.meta.url))
    return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}
