import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { machineRow, withoutPath } from './machine.ts'
import { parseRows, type Row, RowWriter } from './rows.ts'

const machine = { name: 'machine', cpu: 'a processor' } as const
const row: Row = { name: 'ntt', params: { logN: 16 }, metric: 'time', value: 71.234567, unit: 'us' }

describe('rows', () => {
  it('go to the printer and the file, machine first, and come back', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'he-ml-rows-')), 'x.jsonl')
    const printed: string[] = []
    const writer = new RowWriter(machine, (line) => printed.push(line), file)
    writer.emit(row)
    expect(readFileSync(file, 'utf8')).toBe(`${printed.join('\n')}\n`)
    expect(parseRows(readFileSync(file, 'utf8'))).toEqual({ machine, rows: [{ ...row, value: 71.2346 }] })
  })

  it('refuse what is not a number', () => {
    const writer = new RowWriter(machine, () => undefined)
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => writer.emit({ ...row, value })).toThrow(/finite/)
  })

  it('are read strictly', () => {
    expect(() => parseRows('')).toThrow(/machine/)
    expect(() => parseRows(JSON.stringify(row))).toThrow(/machine/)
    expect(() => parseRows(`${JSON.stringify(machine)}\n{`)).toThrow(/line 2/)
    fc.assert(
      fc.property(fc.constantFrom('name', 'params', 'metric', 'value', 'unit'), (field) => {
        const broken = JSON.stringify({ ...row, [field]: undefined })
        expect(() => parseRows(`${JSON.stringify(machine)}\n${broken}`)).toThrow(/line 2/)
      }),
    )
  })
})

describe('the machine row', () => {
  it('names the machine and no folder of it', () => {
    const found = machineRow([
      'peers-openfhe',
      '--openfhe',
      '/home/someone/openfhe-install',
      '--data',
      '../shared/mnist',
    ])
    expect(found).toMatchObject({ name: 'machine', node: process.version })
    expect(found.command).toBe('npm run bench -- peers-openfhe --openfhe .../openfhe-install --data .../mnist')
    expect(withoutPath('1,2')).toBe('1,2')
  })
})
