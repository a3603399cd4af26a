/** The trained spiking networks of examples/train-spiking-lenet5, planned like any other network. */
import { readFileSync } from 'node:fs'
import { createTensor, type Tensor } from '@he-ml/model'
import { functionalSpikeStep, importSpikingModel, polynomialSpikeStep, type SpikeStep } from '@he-ml/snn-layers'
import { expect, it } from 'vitest'
import { bindPlan } from './bind/bind-plan.ts'
import { compile } from './compile/compile.ts'
import { refreshesOf } from './pipeline.test-helper.ts'
import { parsePlan } from './plan/plan.ts'
import { fit } from './ready/fit.ts'

const folder = new URL('../../../examples/train-spiking-lenet5/models/', import.meta.url)

/** A ring and a bar, as digits are; the shipped models take pixels from 0 to 1. */
const digit = (seed: number): Tensor =>
  createTensor(
    [1, 28, 28],
    Float64Array.from({ length: 784 }, (_, i) => {
      const [y, x] = [Math.floor(i / 28) - 14, (i % 28) - 14]
      const ring = Math.abs(Math.hypot(x, y + seed) - 6 - (seed % 3)) < 1.5 || Math.abs(x - seed) < 1.2
      return ring ? 1 : 0
    }),
  )

/** Five frames of events at the edges of a ring that moves: up to four in a pixel, divided by four. */
const recording = (seed: number): Tensor =>
  createTensor(
    [5, 2, 34, 34],
    Float64Array.from({ length: 5 * 2 * 34 * 34 }, (_, i) => {
      const [t, c] = [Math.floor(i / 2312), Math.floor(i / 1156) % 2]
      const [y, x] = [(Math.floor(i / 34) % 34) - 17, (i % 34) - 17]
      const edge = Math.abs(Math.hypot(x - t + 2, y + c - (seed % 3)) - 7 - (seed % 4)) < 1.2
      return edge ? (1 + ((x + y + seed + 40) % 4)) / 4 : 0
    }),
  )

const shipped = (name: string, step: SpikeStep) =>
  importSpikingModel(
    {
      description: readFileSync(new URL(`${name}.json`, folder), 'utf8'),
      weights: readFileSync(new URL(`${name}.safetensors`, folder)),
    },
    { step },
  )

const SEEDS = [-3, -2, -1, 0, 1, 2, 3, 4]

it.each([
  ['mnist-lif-t2', 2],
  ['mnist-lif-t2-grid', 2],
  ['mnist-lif-t4', 4],
  ['mnist-lif-t4-grid', 4],
  ['mnist-qif-t2', 2],
  ['mnist-qif-t2-grid', 2],
  ['mnist-qif-t4', 4],
  ['mnist-qif-t4-grid', 4],
  ['nmnist-lif-t5', 5],
  ['nmnist-lif-t5-grid', 5],
])('%s is planned over %i time steps', async (name, steps) => {
  const model = shipped(name, polynomialSpikeStep({ width: 0.5 }))
  const onFrames = name.startsWith('nmnist')
  const calibration = await fit(model, SEEDS.map(onFrames ? recording : digit))
  const plan = await compile(model, { calibration, activation: { degree: 15, margin: 1.3 } })
  expect(plan.parameters.logN).toBeLessThanOrEqual(16)
  const { program } = bindPlan(parsePlan(JSON.stringify(plan)), model)
  const instances = new Map<string, number>()
  for (const { id } of program.tasks) {
    const layer = id.split('@')[0]!
    instances.set(layer, (instances.get(layer) ?? 0) + 1)
  }
  // the current of the first neurons is the same at every step unless each has a frame; what comes behind them is computed at each
  const once = onFrames ? steps : 1
  expect([instances.get('conv1'), instances.get('neurons1'), instances.get('conv2')]).toEqual([once, steps, steps])
  expect(program.input.values).toHaveLength(once)
  expect(plan.input.frames).toBe(onFrames ? steps : undefined)
  expect(plan.input.grid?.step).toBe(name.endsWith('grid') ? (onFrames ? 1 / 4 : 1) : undefined)
  expect([...program.weights.keys()].filter((id) => id.startsWith('conv2'))).toHaveLength(
    new Set(program.tasks.filter(({ id }) => id.startsWith('conv2')).map(({ level }) => level)).size,
  )
  // four steps of QIF are deeper than any ring, five of LIF are not
  expect(refreshesOf(plan).length > 0).toBe(name.includes('qif-t4'))
})

it('designs sets anew for as long as exact neurons decide too close to a wrong spike', async () => {
  const model = shipped('mnist-lif-t2-grid', functionalSpikeStep())
  const options = { calibration: await fit(model, SEEDS.map(digit)), logN: 15 }
  // fresh values need more than their own margin: the fastest set of all is refused
  await expect(compile(model, { ...options, functional: { margin: 1 } })).rejects.toThrow(/standard deviations/)
  const { report } = await compile(model, options)
  expect(report.decisionMargin).toBeGreaterThan(8)
  expect(report.failureProbability).toBeLessThan(1e-9)
})
