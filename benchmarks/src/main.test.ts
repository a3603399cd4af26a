import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { repositoryRoot } from './places.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const bench = (...args: string[]) =>
  spawnSync(process.execPath, ['--conditions=@he-ml/source', '--import', 'tsx', main, ...args], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  })

describe('the command line', () => {
  it('lists all names, the planned ones marked', () => {
    const { stdout, status } = bench('--list')
    expect(status).toBe(0)
    const names = stdout.trim().split('\n')
    expect(names).toHaveLength(17)
    expect(names.find((l) => l.startsWith('lenet5 '))).not.toMatch(/planned/)
    expect(names.find((l) => l.startsWith('bootstrap '))).not.toMatch(/planned/)
    expect(names.find((l) => l.startsWith('scheme-switching '))).toMatch(/planned/)
  })
  it('ends with 10 for a planned benchmark and 2 for a wrong option, without rows', () => {
    for (const [args, code] of [
      [['scheme-switching', '--batch', '8'], 10],
      [['key-switch', '--threads', 'x'], 2],
      [['none-such'], 2],
    ] as const) {
      const { stdout, status } = bench(...args)
      expect(status).toBe(code)
      expect(stdout).toBe('')
    }
  })
})
