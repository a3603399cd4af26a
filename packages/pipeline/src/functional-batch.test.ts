/** A spiking network with convolutions and pooling on a batch: its layers run as streams, and give what they would give apart. */
import { PlanError } from '@he-ml/ckks-core'
import { createTensor, Model, type Tensor } from '@he-ml/model'
import { averagePool2d, conv2d, flatten, linear } from '@he-ml/nn-layers'
import { functionalSpikeStep, spiking } from '@he-ml/snn-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindPlan } from './bind/bind-plan.ts'
import { compileAndBind } from './compile/compile.ts'
import { clearStage, precisionBits } from './pipeline.test-helper.ts'
import type { BoundPlan } from './plan/bound-plan.ts'
import { parsePlan } from './plan/plan.ts'
import { fit } from './ready/fit.ts'
import { Runner } from './run/run.ts'

const BATCH = 16
const grid = { step: 0.25, count: 16 }
const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const

const weights = (shape: readonly number[], seed: number, step = 0.25): Tensor =>
  createTensor(
    shape,
    Float64Array.from(
      { length: shape.reduce((a, b) => a * b) },
      (_, i) => step * Math.round(2 * Math.sin(17 * i + seed)),
    ),
  )
const neurons = (name: string) => spiking({ name, neuron, grid, step: functionalSpikeStep() })
const pool = (name: string) => averagePool2d({ name, kernel: [2, 2] })
const model = new Model({
  name: 'functional-cnn',
  input: { name: 'image', shape: [1, 4, 4] },
  nodes: [
    {
      layer: conv2d({ name: 'conv1', weights: weights([2, 1, 3, 3], 1, 0.5), padding: [1, 1, 1, 1] }),
      inputs: ['image'],
    },
    { layer: neurons('n1'), inputs: ['conv1'] },
    { layer: pool('pool1'), inputs: ['n1/spike'] },
    { layer: conv2d({ name: 'conv2', weights: weights([3, 2, 1, 1], 4, 2) }), inputs: ['pool1'] },
    { layer: neurons('n2'), inputs: ['conv2'] },
    { layer: pool('pool2'), inputs: ['n2/spike'] },
    { layer: flatten({ name: 'flatten' }), inputs: ['pool2'] },
    { layer: linear({ name: 'fc', weights: weights([3, 3], 6, 2) }), inputs: ['flatten'] },
    { layer: neurons('n3'), inputs: ['fc'] },
    { layer: linear({ name: 'out', weights: weights([2, 3], 3) }), inputs: ['n3/spike'] },
  ],
  states: ['n1', 'n2', 'n3'].map((node) => ({ value: `${node}/membrane`, node, input: 1 })),
  steps: 3,
  readout: 'mean',
})
const image = (seed: number): Tensor =>
  createTensor(
    [1, 4, 4],
    Float64Array.from({ length: 16 }, (_, k) => (Math.sin(seed * 12.9898 + k * 78.233) > 0.2 ? 1 : 0)),
  )
const images = Array.from({ length: BATCH }, (_, i) => image(i + 1))

describe('a spiking network on a batch', () => {
  let bound: BoundPlan
  beforeAll(async () => {
    const calibration = await fit(model, images)
    bound = await compileAndBind(model, { calibration, batch: BATCH, packing: 'batch', logN: 15 })
  })

  it('runs what makes a current, its neurons over time, and what sums up their spikes as one', () => {
    const tasks = bound.program.tasks.map(({ id, reads, writes }) => [id, reads.flat(), writes] as const)
    expect(tasks.slice(0, 2)).toEqual([
      ['conv1 + n1 + pool1@0 + pool1@1 + pool1@2', ['image'], ['pool1@0', 'pool1@1', 'pool1@2']],
      [
        'conv2@0 + n2@0 + pool2@0 + conv2@1 + n2@1 + pool2@1 + conv2@2 + n2@2 + pool2@2',
        ['pool1@0', 'pool1@1', 'pool1@2'],
        ['pool2@0', 'pool2@1', 'pool2@2'],
      ],
    ])
    // nothing sums up the last neurons' spikes
    expect(tasks.filter(([id]) => id.startsWith('n3')).map(([, ...rest]) => rest)).toEqual([
      [['fc@0'], ['n3@0/spike', 'n3@0/membrane']],
      [
        ['fc@1', 'n3@0/membrane'],
        ['n3@1/spike', 'n3@1/membrane'],
      ],
      [['fc@2', 'n3@1/membrane'], ['n3@2/spike']],
    ])
    expect(tasks.at(-1)![0]).toBe('readout')
    expect(tasks).toHaveLength(15)
  })

  it('computes for each image what the network computes', async () => {
    const stage = clearStage(bound)
    const output = await new Runner(bound, stage.engine).run(await stage.encrypt(images))
    const want = images.map((one) => model.forward(one))
    expect(new Set(want.map(({ data }) => String(data))).size).toBeGreaterThan(3)
    expect(precisionBits(await stage.decrypt(output, BATCH), want)).toBeGreaterThan(7)
  })

  it('computes the same with bootstraps in lock step as with one after another', async () => {
    expect(bound.plan.functional!.circuits.map(({ together }) => together)).toEqual([2])
    const { program } = bound
    const together = program.tasks.map((task) => ('together' in task ? task.together : undefined))
    expect(new Set(together)).toEqual(new Set([undefined, 2]))
    const tasks = program.tasks.map((task) => ('together' in task ? { ...task, together: 1 } : task))
    const outputs = []
    for (const of of [bound, { ...bound, program: { ...program, tasks } }]) {
      const stage = clearStage(bound)
      outputs.push(await stage.decrypt(await new Runner(of, stage.engine).run(await stage.encrypt(images)), BATCH))
    }
    expect(outputs[1]).toEqual(outputs[0])
  })

  it('binds again to the model as it was written', () => {
    const again = bindPlan(parsePlan(JSON.stringify(bound.plan)), model)
    expect(again.program.tasks.map(({ id, level }) => [id, level])).toEqual(
      bound.program.tasks.map(({ id, level }) => [id, level]),
    )
  })

  it('is refused where the set that was asked for gives functions too few levels', async () => {
    const calibration = await fit(model, images)
    const options = { calibration, batch: BATCH, packing: 'batch', functional: { set: 'N15-P16' } } as const
    await expect(compileAndBind(model, options)).rejects.toThrow(/gives functions 5 levels, .* takes 7/)
    await expect(compileAndBind(model, options)).rejects.toThrow(PlanError)
  })
})
