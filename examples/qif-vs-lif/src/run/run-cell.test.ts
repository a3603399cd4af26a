import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancelledError, InvalidArgumentError } from '@he-ml/ckks-core'
import type { Digits } from '@he-ml/example-train-spiking-lenet5/data'
import { createFloatKernels } from '@he-ml/float-kernels'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordSchema } from '../cells/record.ts'
import type { Settings } from '../cells/settings.ts'
import { writeDigits } from '../idx-files.test-helper.ts'
import { EXECUTION, jobsOf } from '../records.test-helper.ts'
import { dataDigest, prepareData } from './prepare-data.ts'
import { runCell } from './run-cell.ts'

const folder = mkdtempSync(join(tmpdir(), 'cell-'))
const options = { folder, cache: join(folder, 'cache') }
const request = { data: 'mnist', trainSamples: 200, timeSteps: 2 } as const
const kernels = createFloatKernels({ threads: 1 })
let data: Digits
beforeAll(async () => {
  writeDigits(folder, 260, 130)
  data = await prepareData(request, options)
})
afterAll(async () => {
  await kernels[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const [job] = jobsOf('neurons-mnist', 1)
const settings: Settings = { ...job!.settings, timeSteps: 2 }
const withRate = (learningRate: number): Settings => ({
  ...settings,
  recipe: { ...settings.recipe, epochs: 3, batchSize: 20, schedule: { learningRate } },
})

describe('runCell', () => {
  it('learns, and says the same again', async () => {
    const result = await runCell(withRate(0.005), data, { kernels })
    if (result.kind !== 'trained') throw new Error(result.message)
    // bars in ten places are easy
    expect(result.accuracy).toBeGreaterThan(0.5)
    expect(result.history.length).toBe(3)
    expect(result.history.at(-1)).toMatchObject({ loss: result.loss, validation: { accuracy: result.accuracy } })
    expect(result.correct).toBe(Math.round(130 * result.accuracy))
    expect(Object.keys(result.firingRates)).toEqual(['neurons1', 'neurons2', 'neurons3', 'neurons4'])
    const record = { version: 1, ...job!, result, execution: EXECUTION }
    expect(recordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record)
    expect(await runCell(withRate(0.005), data, { kernels })).toEqual(result)
  })
  it('shifts samples where it is told to', async () => {
    const [still, shifted] = [0, 3].map((shift) => runCell({ ...withRate(0.005), shift }, data, { kernels }))
    expect(await shifted).not.toEqual(await still)
  })
  it('records a run that diverged instead of failing', async () => {
    const result = await runCell(withRate(1e39), data, { kernels })
    expect(result).toMatchObject({ kind: 'diverged', message: expect.stringContaining('expected a finite loss') })
  })
  it('stops when told to', async () => {
    const stopped = runCell(withRate(0.005), data, { kernels, signal: AbortSignal.abort() })
    await expect(stopped).rejects.toThrow(CancelledError)
  })
})

describe('prepareData', () => {
  it('takes the first training samples and all test samples', async () => {
    expect([data.training.count, data.test.count]).toEqual([200, 130])
    expect(data.training.label(7)).toBe(7)
    await expect(prepareData({ ...request, trainSamples: 261 }, options)).rejects.toThrow(InvalidArgumentError)
  })
  it('has a digest that every sample and label changes', async () => {
    const digest = dataDigest(data)
    expect(dataDigest(await prepareData(request, options))).toBe(digest)
    const fewer = await prepareData({ ...request, trainSamples: 199 }, options)
    const relabelled = { ...data, test: { ...data.test, label: (i: number) => (i === 129 ? 0 : data.test.label(i)) } }
    const swapped = { training: data.training, test: { ...data.test, read: data.training.read } }
    expect(new Set([digest, ...[fewer, relabelled, swapped].map(dataDigest)]).size).toBe(4)
  })
})
