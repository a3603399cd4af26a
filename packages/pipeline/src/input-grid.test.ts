/** A network that reads few values: clients round to them before they encrypt, as the plan tells. */
import { FormatError } from '@he-ml/ckks-core'
import { createTensor, Model, type Tensor } from '@he-ml/model'
import { activation, flatten, linear } from '@he-ml/nn-layers'
import { layoutPositions } from '@he-ml/packing'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindPlan } from './bind/bind-plan.ts'
import { compileAndBind } from './compile/compile.ts'
import { COMPILE_DEFAULTS } from './compile/defaults.ts'
import { approximate, clearStage, precisionBits, randomTensor } from './pipeline.test-helper.ts'
import type { BoundPlan } from './plan/bound-plan.ts'
import { packInputs } from './plan/pack-inputs.ts'
import { inputLayoutOf, parsePlan, planDigest } from './plan/plan.ts'
import { fit } from './ready/fit.ts'
import { Runner } from './run/run.ts'

const GRID = { step: 0.5, count: 8 }
const network = (grid: typeof GRID | undefined): Model =>
  new Model({
    name: 'few',
    input: { name: 'pixels', shape: [1, 4, 4], ...(grid ? { grid } : {}) },
    nodes: [
      { layer: flatten({ name: 'flat' }), inputs: ['pixels'] },
      { layer: linear({ name: 'hidden', weights: randomTensor([6, 16], 2, 0.5) }), inputs: ['flat'] },
      { layer: activation({ name: 'act', function: 'silu' }), inputs: ['hidden'] },
      { layer: linear({ name: 'end', weights: randomTensor([3, 6], 3) }), inputs: ['act'] },
    ],
  })
/** Pixels from 0 to 1. */
const image = (seed: number): Tensor => {
  const { shape, data } = randomTensor([1, 4, 4], seed)
  return createTensor(
    shape,
    data.map((v) => Math.min(1, Math.abs(v))),
  )
}
const rounded = ({ shape, data }: Tensor): Tensor =>
  createTensor(
    shape,
    data.map((v) => Math.floor(2 * v + 0.5) / 2),
  )

describe('an input grid', () => {
  const model = network(GRID)
  let bound: BoundPlan
  beforeAll(async () => {
    const seen = Array.from({ length: 40 }, (_, i) => image(100 + i))
    bound = await compileAndBind(model, {
      calibration: await fit(model, seen),
      scaleBits: 36,
      activation: { degree: 7 },
    })
  })

  it('is in the plan, whose range is that of rounded values; other plans know nothing of it', async () => {
    expect(bound.plan.input.grid).toEqual(GRID)
    const { min, max } = bound.plan.input.range!
    expect([min + max, max - min]).toEqual([1, expect.closeTo(COMPILE_DEFAULTS.margin, 9)])
    const seen = Array.from({ length: 40 }, (_, i) => image(100 + i))
    const plain = network(undefined)
    const { plan } = await compileAndBind(plain, { calibration: await fit(plain, seen), activation: { degree: 7 } })
    expect('grid' in plan.input).toBe(false)
    expect(bound.plan.report.constantOutputs).toBe(undefined)
  })

  it('is what clients round to before they encrypt', () => {
    const given = image(1)
    const [values] = packInputs(bound.plan, given)
    const places = layoutPositions(inputLayoutOf(bound.plan))
    expect(Array.from(places, (at) => values![at])).toEqual([...rounded(given).data])
    expect(packInputs(bound.plan, rounded(given))).toEqual([values])
  })

  it('makes the encrypted network that of the rounded image', async () => {
    const stage = clearStage(bound)
    await using runner = new Runner(bound, stage.engine)
    for (const seed of [1, 2, 3]) {
      const output = await runner.run(await stage.encrypt([image(seed)]))
      const got = await stage.decrypt(output, 1)
      expect(precisionBits(got, [approximate(bound.model, rounded(image(seed)))])).toBeGreaterThan(20)
      expect(model.forward(image(seed)).data).toEqual(network(undefined).forward(rounded(image(seed))).data)
    }
  })

  it('binds again from JSON, and not to a model that reads other values', () => {
    expect(bindPlan(parsePlan(JSON.stringify(bound.plan)), model).plan.id).toBe(bound.plan.id)
    expect(() => bindPlan(bound.plan, network(undefined))).toThrow(/made for model "few"/)
    for (const grid of [undefined, { step: 0.5, count: 4 }, { step: 1, count: 8 }]) {
      const { grid: _, ...input } = bound.plan.input
      const changed = { ...bound.plan, input: { ...input, ...(grid ? { grid } : {}) } }
      const sealed = { ...changed, id: planDigest(changed) }
      expect(() => bindPlan(parsePlan(JSON.stringify(sealed)), model)).toThrow(FormatError)
      expect(() => bindPlan(sealed, model)).toThrow(/the model reads 8 points of 0.5: compile again/)
    }
  })

  it.each([{ step: 0, count: 8 }, { step: 1, count: 7 }, { step: 1 }, { step: 1, count: 8, more: 1 }])(
    'is refused in a plan as %j',
    (grid) => {
      const changed = { ...bound.plan, input: { ...bound.plan.input, grid } } as never
      expect(() => parsePlan(JSON.stringify(changed))).toThrow(/input.grid/)
    },
  )
})
