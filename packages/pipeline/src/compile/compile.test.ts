import { CancelledError, InvalidArgumentError, PlanError } from '@he-ml/ckks-core'
import { activation } from '@he-ml/nn-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { chain, images, smallCnn } from '../pipeline.test-helper.ts'
import type { Calibration } from '../ready/calibration.ts'
import { fit } from '../ready/fit.ts'
import { compile, mayBootstrap } from './compile.ts'
import type { CompileOptions, CompileStage } from './options.ts'

let calibration: Calibration
beforeAll(async () => {
  calibration = await fit(smallCnn('relu'), images(20))
})

const refusal = async (model: ReturnType<typeof smallCnn>, options: CompileOptions): Promise<PlanError> => {
  try {
    await compile(model, options)
  } catch (error) {
    if (error instanceof PlanError) return error
    throw error
  }
  throw new Error('a plan was made')
}

describe('mayBootstrap', () => {
  it('where levels, or the memory that those of the largest ring take, are the reason', () => {
    const refused = (reason: PlanError['reason']) => new PlanError(reason, 'no')
    for (const reason of ['security', 'levels'] as const) expect(mayBootstrap(refused(reason), 13, {})).toBe(true)
    expect(mayBootstrap(refused('memory'), 16, { calibration })).toBe(true)
    expect(mayBootstrap(refused('memory'), 15, { calibration })).toBe(false)
    expect(mayBootstrap(refused('memory'), 16, {})).toBe(false)
    expect(mayBootstrap(refused('range'), 16, { calibration })).toBe(false)
  })
})

describe('compile', () => {
  it('takes the smallest ring that is secure, and fewer bits make a smaller one', async () => {
    const small = await compile(smallCnn(), { scaleBits: 26 })
    const large = await compile(smallCnn(), { scaleBits: 46 })
    expect(small.parameters.logN).toBe(13)
    expect(large.parameters.logN).toBeGreaterThanOrEqual(13)
    expect(small.report.securityMarginBits).toBeGreaterThanOrEqual(0)
    expect((await refusal(smallCnn(), { scaleBits: 26, logN: 12 })).reason).toBe('security')
  })
  it('tells depth, keys, bytes and time, layer by layer', async () => {
    const { report, keyRequest, input, output } = await compile(smallCnn(), { scaleBits: 26 })
    expect(report.depth).toBe(input.level - output.level)
    expect(report.keys.count).toBe(keyRequest.rotations.length + 1)
    expect(report.layers.map((l) => l.name)).toEqual(expect.arrayContaining(['conv', 'act', 'fc']))
    expect(report.layers.reduce((sum, l) => sum + l.seconds, 0)).toBeCloseTo(report.seconds, 9)
    expect(report.memory.peakBytes).toBeGreaterThan(report.keys.bytes)
    expect(report.precisionBits).toBeGreaterThan(4)
  })
  it('tells what it is at, and ends when it is told to, whatever could be tried next', async () => {
    const seen: [CompileStage, number][] = []
    const stop = new AbortController()
    const plan = await compile(smallCnn(), { onProgress: (...at) => seen.push(at) })
    expect(plan).toEqual(await compile(smallCnn()))
    expect([...new Set(seen.map(([stage]) => stage))]).toEqual(['polynomials', 'placement', 'estimate'])
    expect(seen.at(-1)).toEqual(['estimate', 1])
    expect(seen.every(([, fraction]) => fraction >= 0 && fraction <= 1)).toBe(true)
    const onProgress = (stage: CompileStage): void => {
      if (stage === 'estimate') stop.abort()
    }
    await expect(compile(smallCnn(), { batch: 4, onProgress, signal: stop.signal })).rejects.toThrow(CancelledError)
  })
  it('gives the same plan twice', async () => {
    const options = { calibration, scaleBits: 30, activation: { degree: 7 } }
    expect((await compile(smallCnn('relu'), options)).id).toBe((await compile(smallCnn('relu'), options)).id)
  })
})

describe('refusals give their reason', () => {
  it('levels', async () => {
    const error = await refusal(smallCnn(), { parameters: { logN: 13, levels: 1, scaleBits: 26 } })
    expect(error.reason).toBe('levels')
    expect(error.message).toMatch(/needs 3 levels, the parameters have 1/)
  })
  it('security', async () => {
    const layers = Array.from({ length: 60 }, (_, i) => activation({ name: `s${i}`, function: 'square' as const }))
    const error = await refusal(chain('deep', [1, 8, 8], layers), { scaleBits: 40 })
    expect(error.reason).toBe('security')
    expect(error.message).toMatch(/lower the option activation\.degree or the option scaleBits/)
  })
  it('memory', async () => {
    const error = await refusal(smallCnn(), { scaleBits: 26, memory: 2 ** 20 })
    expect(error.reason).toBe('memory')
    expect(error.message).toMatch(/the limit is 1\.0 MiB/)
  })
  it('range: no calibration, or an override for what is no activation', async () => {
    expect((await refusal(smallCnn('relu'), {})).reason).toBe('range')
    const error = await refusal(smallCnn('relu'), { calibration, activation: { layers: { conv: { degree: 3 } } } })
    expect(error.reason).toBe('range')
    expect(error.message).toMatch(/"conv".*no activation/)
  })
  it('range: results that outgrow the lowest modulus, unless it may be larger', async () => {
    const large = { ...calibration, outputMagnitude: 1000 }
    const error = await refusal(smallCnn('relu'), {
      calibration: large,
      scaleBits: 30,
      baseBits: 38,
      activation: { degree: 7 },
    })
    expect(error.reason).toBe('range')
    expect(error.message).toMatch(/1\.00e\+3 were seen/)
    const { parameters } = await compile(smallCnn('relu'), {
      calibration: large,
      scaleBits: 30,
      activation: { degree: 7 },
    })
    expect(Math.log2(parameters.q[0]![0]!)).toBeGreaterThan(42.5)
  })
  it('a batch that does not fit', async () => {
    await expect(compile(smallCnn(), { packing: 'batch', batch: 2 ** 17, logN: 13, scaleBits: 26 })).rejects.toThrow(
      InvalidArgumentError,
    )
    await expect(compile(smallCnn(), { packing: 'multiplexed', batch: 2 })).rejects.toThrow(/one image at a time/)
  })
})
