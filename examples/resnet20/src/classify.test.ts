import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTensor, Model, sizeOf, type Tensor } from '@he-ml/model'
import { conv2d, flatten, linear, quadratic } from '@he-ml/nn-layers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { classify } from './classify.ts'
import { compare } from './compare.ts'
import { learnRanges, makePlan } from './make-plan.ts'
import { planText } from './plan-text.ts'

const waves = (shape: number[], phase: number): Tensor =>
  createTensor(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(2 * i + phase) / 2),
  )
const layers = [
  conv2d({ name: 'conv', weights: waves([2, 3, 3, 3], 1), padding: 1 }),
  quadratic({ name: 'act', leading: 0.25, linear: 0.5, constant: 0.1 }),
  flatten({ name: 'flat' }),
  linear({ name: 'fc', weights: waves([4, 32], 2) }),
]
const nodes = layers.map((layer, i) => ({ layer, inputs: [layers[i - 1]?.name ?? 'image'] }))
const model = new Model({ name: 'tiny', input: { name: 'image', shape: [3, 4, 4] }, nodes })
const images = [3, 4, 5].map((phase) => waves([3, 4, 4], phase))
const silent = { startBar: () => ({ update: () => {}, stop: () => {} }), signal: new AbortController().signal }
const planFor = async (batch: number) =>
  makePlan(model, await learnRanges(model, images, silent), { batch, degree: 59 })

describe('an encrypted network with real keys', () => {
  let scratch: string
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'he-ml-resnet20-test-'))
  })
  afterAll(() => rm(scratch, { recursive: true, force: true }))

  it.each([
    [1, 'multiplexed'],
    [2, 'channel'],
  ])('decides as the clear one, %i at a time (%s)', async (batch, packing) => {
    const bound = await planFor(batch)
    expect(bound.plan).toMatchObject({ packing, batch })
    const { logits, seconds } = await classify(bound, images, { ...silent, threads: 1, memory: 4e9, scratch })
    const clear = images.map((image) => model.forward(image).data)
    const { toClear } = compare(clear.map((data, i) => ({ encrypted: logits[i]!.data, clear: data, polynomial: data })))
    expect(toClear.same).toBe(3)
    expect(toClear.bits).toBeGreaterThan(8)
    expect(seconds).toMatchObject({ keys: expect.any(Number), encrypt: expect.any(Number), run: expect.any(Number) })
    expect(await readdir(scratch)).toEqual([])
  })

  it('stops when told to, and leaves no keys behind', async () => {
    const bound = await planFor(2)
    const signal = AbortSignal.abort()
    await expect(
      classify(bound, images, { ...silent, signal, threads: 1, memory: 4e9, scratch }),
    ).rejects.toMatchObject({ code: 'Cancelled' })
    expect(await readdir(scratch)).toEqual([])
  })

  it('is announced with its price', async () => {
    const { plan } = await planFor(2)
    const text = planText(plan, 4e9).join('\n')
    expect(text).toMatch(/^2 images per run, channel packing\nring 2\^\d+, \d+ levels, 0 bootstraps;/)
    expect(text).toMatch(/\d+ evaluation keys: .*logits right to \d+\.\d bits of their range$/s)
    expect(planText(plan, 1).at(-1)).toMatch(/^note: more than/)
  })
})
