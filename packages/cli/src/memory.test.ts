/** run within little memory: keys come and go, the result is the same. */
import { readFile } from 'node:fs/promises'
import type { Plan } from '@he-ml/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Folder, heMl, mustRun, temporaryFolder, writeInputs } from './cli.test-helper.ts'
import { leastPeakOf, peakOf } from './machine-memory.ts'

let here: Folder
let plan: Plan
const run = (out: string, ...more: string[]) =>
  heMl(
    here.path,
    ...['run', '-p', 'plan.json', '-m', 'net.onnx', '-e', 'keys', '-i', 'in.ct', '-o', out, '-q', '--json', ...more],
  )

beforeAll(async () => {
  here = await temporaryFolder()
  await writeInputs(here, { size: 8, channels: 2, blocks: 2 })
  await mustRun(here.path, ...['plan', '-m', 'net.onnx', '-d', 'images.json', '-q', '--degree', '3', '-o', 'plan.json'])
  await mustRun(here.path, 'keygen', '-p', 'plan.json', '-s', 'secret.key', '-e', 'keys', '-q')
  await mustRun(here.path, 'encrypt', '-p', 'plan.json', '-k', 'secret.key', '-d', 'images.json', '-o', 'in.ct')
  plan = JSON.parse(await readFile(here.at('plan.json'), 'utf8')) as Plan
})
afterAll(() => here[Symbol.asyncDispose]())

describe('run --memory', () => {
  it('too small for all keys at once gives the same result', async () => {
    const whole = await run('whole.ct')
    expect(whole.stderr).toBe('')
    const [least, peak] = [leastPeakOf(plan), peakOf(plan)]
    expect(least).toBeLessThan(peak)
    const small = await run('small.ct', '--memory', String((0.9 * least + 0.1 * peak) / 1e9))
    expect(small.stderr).toBe('')
    expect(await readFile(here.at('small.ct'))).toEqual(await readFile(here.at('whole.ct')))
  })

  it('below a single layer with its keys is refused, before a key is read', async () => {
    const small = String((0.9 * leastPeakOf(plan)) / 1e9)
    // nor is the folder looked at
    const { code, stderr } = await run('none.ct', '--memory', small, '-e', 'nowhere')
    expect(stderr).toMatch(/MemoryError: the plan expects a peak of .*, --memory allows/)
    expect(code).toBe(8)
    await expect(readFile(here.at('none.ct'))).rejects.toThrow(/ENOENT/)
  })
})
