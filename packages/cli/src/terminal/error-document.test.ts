import { MissingKeyError, PlanError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { heMl, temporaryFolder } from '../cli.test-helper.ts'
import { errorDocument } from './error-document.ts'
import { columnsFor } from './progress.ts'

describe('with --json', () => {
  it('an error is a document', () => {
    expect(JSON.parse(errorDocument(new PlanError('levels', 'too deep'), 6))).toEqual({
      error: { name: 'PlanError', message: 'too deep', exitCode: 6, code: 'Plan', reason: 'levels' },
    })
    expect(JSON.parse(errorDocument(new MissingKeyError('none'), 7))).toMatchObject({ error: { code: 'MissingKey' } })
    expect(JSON.parse(errorDocument(new Error('x'), 1, [{ input: 'a' }]))).toMatchObject({ results: [{ input: 'a' }] })
    expect(JSON.parse(errorDocument('odd', 1))).toEqual({ error: { name: 'Error', message: 'odd', exitCode: 1 } })
  })
  it('it is on stdout, and for people on stderr', async () => {
    await using here = await temporaryFolder()
    const { code, stderr, json } = await heMl(here.path, 'inspect', 'nothing.key', '--json')
    expect(code).toBe(9)
    expect(stderr).toMatch(/nothing\.key/)
    expect(json()).toMatchObject({ error: { name: 'FileSystemError', exitCode: 9, code: 'FileSystem' } })
    const usage = await heMl(here.path, 'plan', '--json')
    expect([usage.code, usage.json<{ error: { exitCode: number } }>().error.exitCode]).toEqual([2, 2])
  })
})

describe('a bar', () => {
  it.each([20, 40, 80, 200])('fits %i columns with its title and what is at work', (columns) => {
    const title = 'loading keys'
    const { bar, detail } = columnsFor(title, columns)
    expect(bar).toBeGreaterThan(0)
    const line = `${title} [${'='.repeat(bar)}] 100% 123456 s left`.length + detail
    if (columns >= 40) expect(line).toBeLessThan(columns)
  })
})
