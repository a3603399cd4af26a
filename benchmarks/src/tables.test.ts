import { describe, expect, it } from 'vitest'
import { replaceBlocks } from './marked-blocks.ts'
import { display, markdownTable, terminalTable } from './render-table.ts'
import type { Row } from './rows.ts'

const begin = (name: string) => `<!-- bench:${name}:begin -->`
const end = (name: string) => `<!-- bench:${name}:end -->`
const document = `# A\n${begin('x')}\nold\n${end('x')}\nbetween\n${begin('y')}\n${end('y')}\nlast\n`

describe('marked blocks', () => {
  it('are replaced, and only they', () => {
    const once = replaceBlocks(document, (name) => (name === 'x' ? 'new' : undefined), 'doc')
    expect(once).toBe(`# A\n${begin('x')}\n\nnew\n\n${end('x')}\nbetween\n${begin('y')}\n${end('y')}\nlast\n`)
    expect(replaceBlocks(once, (name) => (name === 'x' ? 'new' : undefined), 'doc')).toBe(once)
    expect(replaceBlocks('no blocks', () => 'new', 'doc')).toBe('no blocks')
  })
  it('must be whole', () => {
    expect(() => replaceBlocks(begin('x'), () => '', 'doc')).toThrow(/doc: bench:x:begin without its end/)
    expect(() => replaceBlocks(end('x'), () => '', 'doc')).toThrow(/without its begin/)
    expect(() => replaceBlocks(begin('x') + begin('y') + end('y'), () => '', 'doc')).toThrow(/inside/)
    expect(() => replaceBlocks(begin('x') + end('y'), () => '', 'doc')).toThrow(/without its begin/)
  })
})

describe('tables', () => {
  const rows: Row[] = [
    { name: 'rotate', params: { logN: 16, threads: 1 }, metric: 'time', value: 34.56, unit: 'ms' },
    { name: 'rotate', params: { logN: 16, threads: 1 }, metric: 'speedup', value: 8.74, unit: 'x', peer: 'other 1.0' },
    { name: 'rotate', params: { logN: 16, threads: 2 }, metric: 'time', value: 0.01934, unit: 'ms', peer: 'other 1.0' },
  ]
  const machine = {
    name: 'machine',
    cpu: 'CPU',
    cores: 2,
    kernel: 'k',
    loadBefore: [0.1],
    command: 'npm run x',
  } as const

  it('say common parameters once', () => {
    const lines = terminalTable(rows).split('\n')
    expect(lines[0]).toBe('logN 16')
    expect(lines[2]).toMatch(/^rotate +threads 1 +time +34.6 ms +HE-ML$/)
    expect(lines[3]).toMatch(/8.74 x +HE-ML against other 1.0$/)
    expect(lines[4]).toMatch(/0.0193 ms +other 1.0$/)
  })
  it('become Markdown, without a library column where there is one library', () => {
    expect(markdownTable(machine, rows).split('\n')[2]).toBe('| rotate | threads 1 | time | 34.6 ms | HE-ML |')
    expect(markdownTable(machine, rows.slice(0, 1)).split('\n')[2]).toBe('| rotate |  | time | 34.6 ms |')
    expect(markdownTable(machine, rows)).toContain('All: logN 16. CPU, 2 cores, kernel k, load before 0.1')
  })
  it('show three digits', () => {
    expect([0, 1234.5, 123.4, 12.34, 1.234, 0.01234, -0.5].map(display)).toEqual([
      '0',
      '1235',
      '123',
      '12.3',
      '1.23',
      '0.0123',
      '-0.500',
    ])
  })
})
