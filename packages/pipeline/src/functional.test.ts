/** Spiking networks whose steps are functional bootstraps, through the ordinary pipeline. */
import { HeMlError, InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, Model, type Tensor } from '@he-ml/model'
import { linear } from '@he-ml/nn-layers'
import { functionalSpikeStep, polynomialSpikeStep, type SpikeStep, spiking } from '@he-ml/snn-layers'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindPlan } from './bind/bind-plan.ts'
import { compileAndBind } from './compile/compile.ts'
import { approximate, clearStage, mutate, precisionBits } from './pipeline.test-helper.ts'
import type { BoundPlan } from './plan/bound-plan.ts'
import { parsePlan, planDigest, sealPlan } from './plan/plan.ts'
import type { Plan } from './plan/plan-form.ts'
import { parseCalibration, serializeCalibration } from './ready/calibration-file.ts'
import { fit } from './ready/fit.ts'
import { Runner } from './run/run.ts'

const STEPS = 3
const grid = { step: 0.25, count: 16 }
const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const

/** Whole numbers of grid steps. */
const weights = (rows: number, columns: number, seed: number) =>
  createTensor(
    [rows, columns],
    Float64Array.from({ length: rows * columns }, (_, i) => 0.25 * (((i * 7 + seed) % 5) - 1)),
  )
const bits = (i: number): Tensor =>
  createTensor(
    [4],
    Float64Array.from({ length: 4 }, (_, k) => (i >> k) & 1),
  )

const neurons = (name: string, step: SpikeStep = functionalSpikeStep(), on = grid) =>
  spiking({ name, neuron, grid: on, step })
/** Of two or three layers of neurons; the last may be others than exact ones. */
const network = (depth: number, last?: SpikeStep, steps = STEPS, on = grid) => {
  const nodes = [
    {
      layer: linear({ name: 'fc1', weights: weights(6, 4, 1), bias: new Float64Array(6).fill(0.25) }),
      inputs: ['image'],
    },
    { layer: neurons('n1', undefined, on), inputs: ['fc1'] },
    { layer: linear({ name: 'fc2', weights: weights(5, 6, 3) }), inputs: ['n1/spike'] },
    { layer: neurons('n2', depth === 2 ? last : undefined, on), inputs: ['fc2'] },
    { layer: linear({ name: 'fc3', weights: weights(4, 5, 2) }), inputs: ['n2/spike'] },
    { layer: neurons('n3', undefined, on), inputs: ['fc3'] },
    { layer: linear({ name: 'fc4', weights: weights(3, 4, 4) }), inputs: ['n3/spike'] },
  ]
  return new Model({
    name: 'functional',
    input: { name: 'image', shape: [4] },
    nodes: nodes.slice(0, 2 * depth + 1),
    states: ['n1', 'n2', 'n3'].slice(0, depth).map((node) => ({ value: `${node}/membrane`, node, input: 1 })),
    steps,
    readout: 'mean',
  })
}
const model = network(3)
const inputs = Array.from({ length: 16 }, (_, i) => bits(i))

describe('the margin of a plan', () => {
  const marginOf = async (steps: number, batch?: number) => {
    const of = network(2, undefined, steps)
    const { plan } = await compileAndBind(of, {
      calibration: await fit(of, inputs),
      functional: { set: 'N15-P16' },
      ...(batch ? { batch, packing: 'batch' as const } : {}),
    })
    return plan.report.decisionMargin!
  }
  it.each([
    ['one input', undefined],
    ['a batch, whose steps go one after another in a task', 16],
  ])('falls where membranes come back more often: %s', async (_, batch) => {
    const [one, two, three] = await Promise.all([1, 2, 3].map((steps) => marginOf(steps, batch)))
    expect(two!).toBeLessThan(0.8 * one!)
    expect(three!).toBeLessThan(0.9 * two!)
    expect(three!).toBeGreaterThan(8)
  })
})

it('no bits are promised for copies of a short period, which have the same errors', async () => {
  const of = network(2)
  const { plan } = await compileAndBind(of, { calibration: await fit(of, inputs), functional: { set: 'N15-P16' } })
  // encrypted, 16 inputs: 14.3 bits; with the 1,024 copies averaged 16.4 were promised
  expect(plan.report.precisionBits).toBeLessThan(14.3)
  expect(plan.report.precisionBits).toBeGreaterThan(12.3)
})

describe('a spiking network by functional bootstrapping', () => {
  let bound: BoundPlan
  beforeAll(async () => {
    const calibration = await fit(model, inputs)
    bound = await compileAndBind(model, { calibration, functional: { set: 'N15-P16' } })
  })

  it('refreshes within its layers and nowhere else, a static layer once for all steps', () => {
    const { plan, program } = bound
    expect(program.tasks.filter(({ kind }) => kind === 'refresh')).toEqual([])
    expect(program.tasks.filter(({ kind }) => kind === 'spiking').map(({ id, writes }) => [id, writes])).toEqual([
      ['n1', ['n1/spike@0', 'n1/spike@1', 'n1/spike@2']],
      ['n2@0', ['n2@0/spike', 'n2@0/membrane']],
      // cells that do not wait for each other share a refresh
      ['n3@0 + n2@1', ['n3@0/spike', 'n3@0/membrane', 'n2@1/spike', 'n2@1/membrane']],
      // and membranes that nobody reads again are not refreshed
      ['n3@1 + n2@2', ['n3@1/spike', 'n3@1/membrane', 'n2@2/spike']],
      ['n3@2', ['n3@2/spike']],
    ])
    expect(plan.functional!.circuits.map(({ spec }) => spec.content)).toContain('real')
    expect(plan.report.decisionMargin).toBeGreaterThan(18.5)
    expect(plan.report.failureProbability).toBeLessThan(1e-30)
    expect(plan.keyRequest.encapsulation).toBeDefined()
  })

  it('computes on the clear engine what the network computes, spike by spike', async () => {
    const stage = clearStage(bound)
    for (const image of inputs.slice(3, 7)) {
      const output = await new Runner(bound, stage.engine).run(await stage.encrypt([image]))
      expect(precisionBits(await stage.decrypt(output, 1), [model.forward(image)])).toBeGreaterThan(7)
    }
  })

  it('binds again to the model as it was written', () => {
    const again = bindPlan(parsePlan(JSON.stringify(bound.plan)), model)
    expect(again.program.tasks.map(({ id, level, weights }) => [id, level, weights])).toEqual(
      bound.program.tasks.map(({ id, level, weights }) => [id, level, weights]),
    )
  })

  it('has plans that are refused where they were changed, however well sealed', () => {
    const { functional } = bound.plan
    const [circuit, ...circuits] = functional!.circuits
    const { functional: _, ...without } = bound.plan
    const changed = (change: object) => sealPlan({ ...bound.plan, functional: { ...functional!, ...change } } as Plan)
    const spec = (change: object) =>
      changed({ circuits: [{ ...circuit!, spec: { ...circuit!.spec, ...change } }, ...circuits] })
    for (const plan of [
      sealPlan(without as Plan),
      changed({ circuits: [] }),
      changed({ circuits: [{ ...circuit!, periods: [] }, ...circuits] }),
      changed({ circuits: [{ ...circuit!, periods: [circuit!.periods[0]! * 2] }, ...circuits] }),
      spec({ slots: circuit!.spec.slots / 2 }),
      spec({ functionLevels: circuit!.spec.functionLevels + 1 }),
      spec({ functionLevels: 1 }),
      spec({ coeffsToSlots: 9 }),
      spec({ slotsToCoeffs: 0 }),
      spec({ content: 'imaginary' }),
      spec({ slots: 3 }),
      sealPlan({
        ...bound.plan,
        keyRequest: { ...bound.plan.keyRequest, encapsulation: undefined },
      } as unknown as Plan),
    ])
      expect(() => bindPlan(parsePlan(JSON.stringify(plan)), model), JSON.stringify(plan.functional)).toThrow(HeMlError)
  })

  it('ends in typed errors or an equal program wherever else its plan is changed', () => {
    const junk = fc.oneof(fc.constantFrom(undefined, null, -1, 0.5, 1e308, 2 ** 53, '', [], {}, true), fc.integer())
    const place = fc.tuple(fc.constantFrom('functional', 'parameters', 'keyRequest', 'report'), fc.array(fc.nat(12)))
    const property = fc.property(place, junk, ([part, path], value) => {
      const plan = JSON.parse(JSON.stringify(bound.plan)) as Plan
      const changed = { ...plan, [part]: mutate(plan[part as 'functional'], path, value) } as Plan
      try {
        bindPlan(parsePlan(JSON.stringify({ ...changed, id: planDigest(changed) })), model)
      } catch (error) {
        if (!(error instanceof HeMlError)) throw error
      }
    })
    fc.assert(property, { numRuns: 150, seed: 12, endOnFailure: true })
  })

  it('is designed for the levels that lie between its refreshes, and refused where none will do', async () => {
    const calibration = await fit(model, inputs)
    const { plan } = await compileAndBind(model, { calibration, logN: 15 })
    expect(plan.functional!.circuits[0]!.spec.functionLevels).toBe(5)
    expect(plan.report.decisionMargin).toBeGreaterThan(10)
    const { plan: wide } = await compileAndBind(model, { calibration, logN: 15, functional: { margin: 40 } })
    expect(wide.report.decisionMargin).toBeGreaterThan(16)
    for (const logN of [14, 17])
      await expect(compileAndBind(model, { calibration, logN })).rejects.toThrow(/leave out the option logN/)
    await expect(compileAndBind(model, { calibration, functional: { set: 'N15' } })).rejects.toThrow(
      InvalidArgumentError,
    )
    const { plan: deep } = await compileAndBind(model, { calibration, functional: { set: 'N16-P64' } })
    expect(deep.report.logN).toBe(16)
    await expect(compileAndBind(model, { calibration, functional: { margin: 1e9 } })).rejects.toThrow(/security|secure/)
  })

  it('needs more than the margin of fresh values, where membranes come by steep points', async () => {
    const two = network(2, undefined, STEPS, { step: 1 / 16, count: 64 })
    const calibration = await fit(two, inputs)
    await expect(compileAndBind(two, { calibration, logN: 15, functional: { margin: 1 } })).rejects.toThrow(
      /standard deviations? from a wrong spike, at least 8 are wanted: leave out the option functional.margin/,
    )
    const { plan } = await compileAndBind(two, { calibration, logN: 15 })
    expect(plan.report.decisionMargin).toBeGreaterThan(8)
  })

  it('is refused with currents off its grid, where no decision is sure; without a grid the plan promises none', async () => {
    const half = createTensor(
      [4, 4],
      Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 0.875 : 0)),
    )
    const made = (on?: typeof grid) =>
      new Model({
        name: 'half',
        input: { name: 'image', shape: [4] },
        nodes: [
          { layer: linear({ name: 'fc1', weights: half }), inputs: ['image'] },
          {
            layer: spiking({ name: 'n1', neuron, step: functionalSpikeStep(), ...(on ? { grid: on } : {}) }),
            inputs: ['fc1'],
          },
        ],
        states: [{ value: 'n1/membrane', node: 'n1', input: 1 }],
        steps: 1,
        readout: 'sum',
      })
    const seen = await fit(made(grid), inputs)
    expect(seen.statistics.n1!.offGrid).toBe(0.5)
    await expect(compileAndBind(made(grid), { calibration: seen })).rejects.toThrow(
      /up to 0.50 steps off the grid of 0.25/,
    )
    // in the file of a calibration too
    const kept = parseCalibration(serializeCalibration(seen))
    expect(kept.statistics.n1).toEqual(seen.statistics.n1)
    const rounded = made()
    const calibration = await fit(rounded, inputs)
    expect(calibration.statistics.n1).not.toHaveProperty('offGrid')
    const { plan } = await compileAndBind(rounded, { calibration, logN: 15 })
    expect(plan.report.failureProbability).toBe(1)
  })

  it('runs beside soft steps: each layer has its own', async () => {
    const mixed = network(2, polynomialSpikeStep({ width: 1 }))
    const calibration = await fit(mixed, inputs)
    const bound = await compileAndBind(mixed, { calibration, logN: 16, activation: { degree: 7, margin: 1.3 } })
    const kinds = bound.program.tasks.filter(({ kind }) => kind === 'spiking').map(({ id }) => id)
    expect(kinds).toEqual(['n1', 'n2@0', 'n2@1', 'n2@2'])
    expect(bound.plan.functional!.circuits).toHaveLength(1)
    const stage = clearStage(bound)
    const output = await new Runner(bound, stage.engine).run(await stage.encrypt([inputs[5]!]))
    const soft = approximate(bound.model, inputs[5]!)
    expect(precisionBits(await stage.decrypt(output, 1), [soft])).toBeGreaterThan(6)
  })
})
