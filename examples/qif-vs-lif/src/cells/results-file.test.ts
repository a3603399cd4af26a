import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError, ParameterMismatchError } from '@he-ml/ckks-core'
import { afterAll, describe, expect, it } from 'vitest'
import { jobsOf, recordsOf } from '../records.test-helper.ts'
import type { CellRecord } from './record.ts'
import { appendRecord, dropUnfinishedLine, readRecords, requireBudget } from './results-file.ts'
import { budgetOf, digestOf } from './settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'results-'))
afterAll(() => rmSync(folder, { recursive: true }))
const records = recordsOf(jobsOf('neurons-mnist', 2), ({ cell }) => 0.9 + 0.01 * cell.seed)
let files = 0

/** A file with these lines. */
function fileOf(...lines: readonly string[]): string {
  const path = join(folder, `${files++}.jsonl`)
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
  return path
}
const line = (record: unknown) => JSON.stringify(record)

describe('a file of results', () => {
  it('gives back what was recorded', async () => {
    const path = join(folder, 'deep', 'er', 'some.jsonl')
    expect(await readRecords(path)).toEqual([])
    for (const record of records) await appendRecord(path, record)
    expect(await readRecords(path)).toEqual(records)
  })
  it('loses only the line that a killed process left unfinished', async () => {
    for (const cut of [1, 200]) {
      const path = fileOf(line(records[0]))
      const whole = readFileSync(path, 'utf8')
      appendFileSync(path, line(records[1]).slice(0, -cut))
      expect(await readRecords(path)).toEqual([records[0]])
      await dropUnfinishedLine(path)
      expect(readFileSync(path, 'utf8')).toBe(whole)
      await appendRecord(path, records[1]!)
      expect(await readRecords(path)).toEqual(records.slice(0, 2))
    }
    const path = fileOf(line(records[0]))
    await dropUnfinishedLine(path)
    expect(await readRecords(path)).toEqual([records[0]])
  })
  it('is refused where a line is no record, and says where', async () => {
    const bad = [
      ['{"version":1', /line 2: expected a result in JSON/],
      [line({ ...records[1], version: 2 }), /line 2: field "version"/],
      [line({ ...records[1], more: 1 }), /line 2: field "\(root\)"/],
      [line({ ...records[1], result: { ...records[1]!.result, accuracy: 1.5 } }), /field "result.accuracy"/],
      [line({ ...records[1], settings: { ...records[1]!.settings, seed: 9 } }), /the line was changed/],
    ] as const
    for (const [text, message] of bad) {
      const reading = readRecords(fileOf(line(records[0]), text))
      await expect(reading).rejects.toThrow(FormatError)
      await expect(reading).rejects.toThrow(message)
    }
  })
  it('takes one result of a run twice, but not two different ones', async () => {
    const later: CellRecord = { ...records[0]!, execution: { ...records[0]!.execution, seconds: 99 } }
    expect(await readRecords(fileOf(line(records[0]), line(later)))).toEqual([records[0]])
    const [other] = recordsOf([records[0]!], () => 0.5)
    await expect(readRecords(fileOf(line(records[0]), line(other)))).rejects.toThrow(/the code changed in between/)
  })
  it('does not mix budgets, and names what differs', () => {
    const wanted = budgetOf(records[0]!.settings)
    requireBudget('a.jsonl', records, wanted)
    const settings = { ...records[0]!.settings, recipe: { ...records[0]!.settings.recipe, epochs: 7 } }
    const other = { ...records[0]!, settings, hash: digestOf(settings) }
    const refusing = () => requireBudget('a.jsonl', [...records, other], wanted)
    expect(refusing).toThrow(ParameterMismatchError)
    expect(refusing).toThrow('a.jsonl holds runs of another budget (recipe.epochs: 7 there, 2 asked for)')
    expect(() => requireBudget('a.jsonl', records, { ...wanted, kernel: 'avx2' })).toThrow('kernel: scalar there')
  })
})
