/** What the planner chooses where nobody else does: the packing, and how many groups of a batch are at work at a time. */
import { FormatError, PlanError } from '@he-ml/ckks-core'
import { createTensor, type Model } from '@he-ml/model'
import { activation, linear } from '@he-ml/nn-layers'
import { describe, expect, it } from 'vitest'
import { bindPlan } from '../bind/bind-plan.ts'
import {
  approximate,
  chain,
  clearStage,
  deepChain,
  images,
  precisionBits,
  randomTensor,
} from '../pipeline.test-helper.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { parsePlan, sealPlan } from '../plan/plan.ts'
import { fit } from '../ready/fit.ts'
import { Runner } from '../run/run.ts'
import { compileAndBind } from './compile.ts'
import type { CompileOptions } from './options.ts'
import { packingsFor } from './packings.ts'

/** Images, some of which are looked at, on the clear engine. */
async function expectRight(bound: BoundPlan, count: number, some: readonly number[]): Promise<void> {
  const clear = clearStage(bound)
  const given = images(count)
  using output = await new Runner(bound, clear.engine).run(await clear.encrypt(given))
  const got = await clear.decrypt(output, count)
  for (const i of some) expect(precisionBits([got[i]!], [approximate(bound.model, given[i]!)])).toBeGreaterThan(20)
}

describe('the packing', () => {
  const model = deepChain(1)
  const options = async (model: Model): Promise<CompileOptions> => {
    return { calibration: await fit(model, images(16)), activation: { degree: 7, margin: 1.5 } }
  }

  it('is that of one image without a batch', async () => {
    for (const more of [{}, { batch: 1 }]) {
      const { plan } = await compileAndBind(model, { ...(await options(model)), ...more })
      expect(plan).toMatchObject({ packing: 'multiplexed', batch: 1 })
    }
  })
  it('is the faster of the others for a batch', async () => {
    const seen = new Set<string>()
    for (const [blocks, batch] of [
      [1, 4096],
      [2, 40],
    ] as const) {
      const model = deepChain(blocks)
      const given = { ...(await options(model)), batch }
      const { plan } = await compileAndBind(model, given)
      const of = async (packing: 'batch' | 'channel') =>
        (await compileAndBind(model, { ...given, batch: plan.batch, packing })).plan.report.seconds
      expect(plan.report.seconds).toBe(Math.min(await of('batch'), await of('channel')))
      expect(plan.batch).toBe(2 ** Math.ceil(Math.log2(batch)))
      seen.add(plan.packing)
    }
    expect([...seen].sort()).toEqual(['batch', 'channel'])
  })
  it('is the one that is possible', async () => {
    const flat = chain(
      'mlp',
      [16],
      [
        linear({ name: 'fc1', weights: randomTensor([8, 16], 1, 0.3) }),
        activation({ name: 'act', function: 'relu' }),
        linear({ name: 'fc2', weights: randomTensor([3, 8], 2, 0.5) }),
      ],
    )
    const given = Array.from({ length: 8 }, (_, seed) => createTensor([16], images(1, seed)[0]!.data.slice(0, 16)))
    const calibration = await fit(flat, given)
    const { plan } = await compileAndBind(flat, { calibration, activation: { degree: 7 }, batch: 64 })
    expect(plan.packing).toBe('batch')
    await expect(compileAndBind(flat, { calibration, activation: { degree: 7 }, batch: 2 ** 20 })).rejects.toThrow(
      /batch packing has room for/,
    )
  })
  it('is written into a plan that binds again, polynomials of elements included', async () => {
    const given = await options(model)
    const activation = { degree: 7, margin: 1.5, method: 'least-squares' as const }
    for (const packing of ['batch', 'channel'] as const) {
      const { plan } = await compileAndBind(model, { ...given, activation, packing, batch: 8 })
      expect(plan.decided.fitted.act0).toMatchObject({ channels: { share: 1 } })
      await expectRight(bindPlan(parsePlan(JSON.stringify(plan)), model), 8, [0, 7])
      const { act0, ...others } = plan.decided.fitted
      const channels = { ...(act0!.channels as object), share: 2 }
      const decided = { ...plan.decided, fitted: { ...others, act0: { ...act0, channels } } }
      expect(() => bindPlan(sealPlan({ ...plan, decided }), model)).toThrow(FormatError)
    }
  })
  it('has the reason of both when there is none', async () => {
    const given = await options(model)
    await expect(compileAndBind(model, { ...given, batch: 100, memory: 2 ** 20 })).rejects.toThrow(PlanError)
    for (const batch of [0, 2.5, Number.NaN])
      await expect(compileAndBind(model, { ...given, batch })).rejects.toThrow(/positive number of images/)
    await expect(compileAndBind(model, { ...given, batch: 10_000_000 })).rejects.toThrow(/1 to 1024 sub-batches/)
    const foo = { ...given, packing: 'foo' as 'auto' }
    await expect(compileAndBind(model, foo)).rejects.toThrow(/one of auto, multiplexed, batch, channel, got "foo"/)
  })
  it('may be told', () => {
    expect(packingsFor({ packing: 'batch', batch: 3 })).toEqual([{ packing: 'batch', batch: 3 }])
    expect(packingsFor({ packing: 'multiplexed' })).toEqual([{ packing: 'multiplexed' }])
    expect(packingsFor({ packing: 'channel' }).map(({ packing }) => packing)).toEqual(['channel', 'channel'])
  })
})

describe('tiles of a batch', () => {
  it('are one group of ciphertexts where two do not fit, and the result is the same', async () => {
    const model = deepChain(2)
    const calibration = await fit(model, images(16))
    const options = { calibration, activation: { degree: 7, margin: 1.5 }, packing: 'channel' as const, logN: 15 }
    const plenty = await compileAndBind(model, { ...options, batch: 2048 })
    expect(plenty.plan).toMatchObject({ tile: 2, input: { ciphertexts: 8 } })
    const { leanPeakBytes } = plenty.plan.report.memory
    const short = await compileAndBind(model, { ...options, batch: 2048, memory: leanPeakBytes - 1 })
    expect(short.plan.tile).toBe(1)
    expect(short.plan.report.memory.leanPeakBytes).toBeLessThan(leanPeakBytes)
    expect(short.plan.report.seconds).toBeGreaterThan(plenty.plan.report.seconds)
    expect(short.program.tasks.filter((task) => 'layer' in task && task.layer === 'conv0')).toHaveLength(8)
    const again = bindPlan(parsePlan(JSON.stringify(short.plan)), model)
    await expectRight(again, 2048, [0, 255, 256, 1000, 2047])
  })
})
