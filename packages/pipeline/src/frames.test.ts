/** A spiking network that sees another frame at every time step, through the ordinary pipeline. */
import { FormatError, InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, Model, type Tensor } from '@he-ml/model'
import { averagePool2d, conv2d, flatten, linear } from '@he-ml/nn-layers'
import { polynomialSpikeStep, type SoftStep, type SpikingLayer, spiking } from '@he-ml/snn-layers'
import { createNeuronKernel, eventFrames, type Reals, runTimeSteps, type SpikeFunction } from '@he-ml/snn-neurons'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindPlan } from './bind/bind-plan.ts'
import { compileAndBind } from './compile/compile.ts'
import {
  approximate,
  clearStage,
  compileInsecure,
  leastBits,
  nativeStage,
  precisionBits,
  randomTensor,
  refreshesOf,
} from './pipeline.test-helper.ts'
import type { BoundPlan } from './plan/bound-plan.ts'
import { packInputs } from './plan/pack-inputs.ts'
import { parsePlan, planDigest } from './plan/plan.ts'
import { checkProgram } from './program/check-program.ts'
import { fit } from './ready/fit.ts'
import { modelDigest } from './ready/model-digest.ts'
import { Runner } from './run/run.ts'

const STEPS = 3
const NEURON = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const

/** Two channels of 6 x 6 event counts between 0 and 1 at every step; most pixels see nothing. */
const frames = (seed: number, steps = STEPS): Tensor => {
  const { shape, data } = randomTensor([steps, 2, 6, 6], seed)
  return createTensor(
    shape,
    data.map((v) => Math.max(0, Math.ceil(8 * v - 4) / 4)),
  )
}

const conv = conv2d({ name: 'conv', weights: randomTensor([2, 2, 3, 3], 1, 0.9), bias: Float64Array.of(0.3, 0.2) })
const pool = averagePool2d({ name: 'pool', kernel: 2 })
const hidden = linear({
  name: 'hidden',
  weights: randomTensor([4, 8], 2, 0.8),
  bias: Float64Array.of(0.5, 0.4, 0.3, 0.6),
})
const end = linear({ name: 'end', weights: randomTensor([3, 4], 3) })
const lif = (name: string) => spiking({ name, neuron: NEURON, step: polynomialSpikeStep({ width: 0.5 }) })

const network = (time: 'static' | 'perStep', steps = STEPS): Model =>
  new Model({
    name: 'frames',
    input: { name: 'events', shape: [2, 6, 6], time },
    nodes: [
      { layer: conv, inputs: ['events'] },
      { layer: lif('first'), inputs: ['conv'] },
      { layer: pool, inputs: ['first/spike'] },
      { layer: flatten({ name: 'flat' }), inputs: ['pool'] },
      { layer: hidden, inputs: ['flat'] },
      { layer: lif('second'), inputs: ['hidden'] },
      { layer: end, inputs: ['second/spike'] },
    ],
    states: ['first', 'second'].map((node) => ({ value: `${node}/membrane`, node, input: 1 })),
    steps,
    readout: 'mean',
  })
const model = network('perStep')

/** What snn-neurons makes of the frames: its own time loop over the layers' clear functions, with the soft steps of a plan. */
function inference({ model: ready }: BoundPlan, given: Tensor): Tensor {
  const steps = given.shape[0]!
  const kernel = createNeuronKernel(NEURON)
  const spikesOf = (name: string): SpikeFunction => {
    const node = ready.nodes.find(({ origin }) => origin?.node === name)!
    const { fitted } = node.layer as SpikingLayer
    return {
      spikes: (charged, out) => out.set(charged.map((v) => (fitted as SoftStep).forward(v))),
      derivative: (_, out) => out.fill(0),
    }
  }
  const first = (values: Reals) => conv.forward([createTensor([2, 6, 6], Float64Array.from(values))]).data
  const second = (values: Reals) => {
    const pooled = pool.forward([createTensor([2, 4, 4], Float64Array.from(values))])
    return hidden.forward([createTensor([8], pooled.data)]).data
  }
  const stages = [
    { synapse: first, kernel, spikeFunction: spikesOf('first') },
    { synapse: second, kernel, spikeFunction: spikesOf('second') },
  ]
  const spikes = runTimeSteps(stages, eventFrames(given.data, steps), { readout: 'spikeCount' })
  return end.forward([
    createTensor(
      [4],
      Float64Array.from(spikes, (count) => count / steps),
    ),
  ])
}

const OPTIONS = { activation: { degree: 7, margin: 1.5 }, scaleBits: 38 }
const seen = () =>
  fit(
    model,
    Array.from({ length: 60 }, (_, i) => frames(1000 + i)),
  )

describe('a network with a frame for each step', () => {
  let bound: BoundPlan
  beforeAll(async () => {
    bound = await compileAndBind(model, { ...OPTIONS, calibration: await seen() })
  })

  it('is planned with one encrypted input for each step, all alike, which the first layer reads at its own', () => {
    const { program, plan } = bound
    const { layout, values } = program.input
    expect(values.map(({ id }) => id)).toEqual(['events@0', 'events@1', 'events@2'])
    expect(layout.shape).toEqual([2, 6, 6])
    expect(plan.model.input).toEqual([STEPS, 2, 6, 6])
    expect(plan.input).toMatchObject({ frames: STEPS, ciphertexts: STEPS * layout.ciphertexts })
    expect(plan.report.ciphertexts.input).toBe(plan.input.ciphertexts)
    // counts from 0 to 1, and half the margin more on both sides
    expect(plan.input.range).toEqual({ min: -0.25, max: 1.25 })
    const tasks = program.tasks.filter(({ id }) => id.startsWith('conv'))
    expect(tasks.map(({ id, reads }) => `${id}: ${reads}`)).toEqual([
      'conv@0: events@0',
      'conv@1: events@1',
      'conv@2: events@2',
    ])
    // fresh inputs are as high as the first frame needs; later ones are read lower
    expect(tasks[0]!.level).toBe(program.input.level)
    expect(tasks[2]!.level).toBeLessThan(tasks[0]!.level)
    checkProgram(program)
  })

  it('and a static one of the same layers once, with a single input', async () => {
    const still = network('static')
    const calibration = await fit(
      still,
      Array.from({ length: 20 }, (_, i) => randomTensor([2, 6, 6], i)),
    )
    const { program, plan } = await compileAndBind(still, { ...OPTIONS, calibration })
    expect(program.input.values.map(({ id }) => id)).toEqual(['events'])
    expect(plan.input.frames).toBeUndefined()
    expect(program.tasks.filter(({ id }) => id.startsWith('conv')).map(({ id }) => id)).toEqual(['conv'])
    expect(modelDigest(still)).not.toBe(modelDigest(model))
    expect(() => bindPlan(plan, model)).toThrow(/made for model/)
  })

  it("computes on the clear engine what snn-neurons' own time loop does with the same soft steps", async () => {
    const stage = clearStage(bound)
    await using runner = new Runner(bound, stage.engine)
    for (const seed of [1, 2, 3]) {
      const given = frames(seed)
      const output = await runner.run(await stage.encrypt([given]))
      const want = inference(bound, given)
      expect(precisionBits([approximate(bound.model, given)], [want])).toBeGreaterThan(40)
      expect(precisionBits(await stage.decrypt(output, 1), [want])).toBeGreaterThan(26)
    }
    // the order of the frames matters, so nothing of this could come from one of them
    const { data } = frames(1)
    const reversed = createTensor(
      [STEPS, 2, 6, 6],
      Float64Array.from([2, 1, 0].flatMap((t) => [...data.subarray(72 * t, 72 * t + 72)])),
    )
    expect(precisionBits([inference(bound, reversed)], [inference(bound, frames(1))])).toBeLessThan(10)
  })

  it('binds again from JSON, and not when the plan tells another number of frames', () => {
    const again = bindPlan(parsePlan(JSON.stringify(bound.plan)), model)
    expect(again.program.input).toEqual(bound.program.input)
    const { frames: _, ...input } = bound.plan.input
    const fewer = { ...bound.plan, input }
    const sealed = parsePlan(JSON.stringify({ ...fewer, id: planDigest(fewer) }))
    expect(() => bindPlan(sealed, model)).toThrow(FormatError)
    expect(() => bindPlan(sealed, model)).toThrow(/ciphertexts in 1 frames, the model takes \d+ in 3/)
  })

  it('refuses what is not a frame for each step: at fit, at encryption, at the run', async () => {
    const one = createTensor([2, 6, 6])
    const four = createTensor([4, 2, 6, 6])
    await expect(fit(model, [one])).rejects.toThrow(InvalidArgumentError)
    await expect(fit(model, [one])).rejects.toThrow(/'perStep'.*'static'/)
    await expect(fit(network('static'), [frames(1)])).rejects.toThrow(/'static'.*3 frames of a 'perStep' input/)
    expect(() => packInputs(bound.plan, one)).toThrow(InvalidArgumentError)
    expect(() => packInputs(bound.plan, one)).toThrow(/plan of model "frames" takes \[3,2,6,6\].*'perStep'.*'static'/)
    expect(() => packInputs(bound.plan, four)).toThrow(/these are 4 frames/)
    expect(() => packInputs(bound.plan, [frames(1), frames(2)])).toThrow(/holds 1 to 1 images, got 2/)
    const stage = clearStage(bound)
    await using runner = new Runner(bound, stage.engine)
    const inputs = await stage.encrypt([frames(1)])
    await expect(runner.run(inputs.slice(1))).rejects.toThrow(/for each of 3 frames, got/)
  })

  it('packs a batch frame by frame', async () => {
    const { plan } = await compileAndBind(model, { ...OPTIONS, calibration: await seen(), packing: 'batch', batch: 4 })
    const given = [frames(1), frames(2)]
    const vectors = packInputs(plan, given)
    expect(vectors).toHaveLength(STEPS * 72)
    for (const at of [0, 71, 72, 215])
      expect([...vectors[at]!.subarray(0, 3)]).toEqual([given[0]!.data[at], given[1]!.data[at], 0])
  })
})

describe('frames on ciphertexts', () => {
  // 1 level of the convolution, 3 at each step, 5 of what is behind: more than a fresh input has
  const LONG = 6

  it('have the precision that was planned, with bootstraps between the steps', async () => {
    const long = network('perStep', LONG)
    const calibration = await fit(
      long,
      Array.from({ length: 60 }, (_, i) => frames(2000 + i, LONG)),
    )
    const bound = await compileInsecure(long, 5, { ...OPTIONS, calibration })
    expect(refreshesOf(bound.plan).length).toBeGreaterThan(0)
    expect(bound.program.input.values).toHaveLength(LONG)
    await using stage = await nativeStage(bound)
    await using runner = new Runner(bound, stage.engine)
    const given = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((seed) => frames(seed, LONG))
    const got: Tensor[] = []
    for (const one of given) {
      using output = await runner.run(await stage.encrypt([one]))
      got.push(...(await stage.decrypt(output, 1)))
    }
    const want = given.map((one) => inference(bound, one))
    const bits = precisionBits(got, want)
    console.log(`planned ${bound.plan.report.precisionBits.toFixed(1)} bits, measured ${bits.toFixed(2)}`)
    // the three results of an image are made of the same four neurons: together they count as one
    expect(bits).toBeGreaterThan(leastBits(bound, given.length / 3))
  })
})
