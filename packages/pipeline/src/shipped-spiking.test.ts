/**
 * The trained spiking networks of examples/train-spiking-lenet5, planned like any other network. Those of QIF over four steps need
 * bootstraps, and a search of a minute: they are left out here.
 */
import { readFileSync } from 'node:fs'
import { createTensor, type Tensor } from '@he-ml/model'
import { importSpikingModel, polynomialSpikeStep } from '@he-ml/snn-layers'
import { expect, it } from 'vitest'
import { bindPlan } from './bind/bind-plan.ts'
import { compile } from './compile/compile.ts'
import { parsePlan } from './plan/plan.ts'
import { fit } from './ready/fit.ts'

const folder = new URL('../../../examples/train-spiking-lenet5/models/', import.meta.url)

/** A ring and a bar, as digits are, normalised. */
const digit = (seed: number): Tensor =>
  createTensor(
    [1, 28, 28],
    Float64Array.from({ length: 784 }, (_, i) => {
      const [y, x] = [Math.floor(i / 28) - 14, (i % 28) - 14]
      const ring = Math.abs(Math.hypot(x, y + seed) - 6 - (seed % 3)) < 1.5 || Math.abs(x - seed) < 1.2
      return ((ring ? 1 : 0) - 0.1307) / 0.3081
    }),
  )

it.each([
  ['mnist-lif-t2', 2],
  ['mnist-lif-t2-grid', 2],
  ['mnist-lif-t4', 4],
  ['mnist-lif-t4-grid', 4],
  ['mnist-qif-t2', 2],
  ['mnist-qif-t2-grid', 2],
])('%s is planned over %i time steps', async (name, steps) => {
  const model = importSpikingModel(
    {
      description: readFileSync(new URL(`${name}.json`, folder), 'utf8'),
      weights: readFileSync(new URL(`${name}.safetensors`, folder)),
    },
    { step: polynomialSpikeStep({ width: 0.5 }) },
  )
  const calibration = await fit(model, [-3, -2, -1, 0, 1, 2, 3, 4].map(digit))
  const plan = await compile(model, { calibration, activation: { degree: 15, margin: 1.3 } })
  expect(plan.parameters.logN).toBeLessThanOrEqual(16)
  const { program } = bindPlan(parsePlan(JSON.stringify(plan)), model)
  const instances = new Map<string, number>()
  for (const { id } of program.tasks) {
    const layer = id.split('@')[0]!
    instances.set(layer, (instances.get(layer) ?? 0) + 1)
  }
  // the current of the first neurons is the same at every step; what comes behind them is computed at each
  expect([instances.get('conv1'), instances.get('neurons1'), instances.get('conv2')]).toEqual([1, steps, steps])
  expect([...program.weights.keys()].filter((id) => id.startsWith('conv2'))).toHaveLength(
    new Set(program.tasks.filter(({ id }) => id.startsWith('conv2')).map(({ level }) => level)).size,
  )
})
