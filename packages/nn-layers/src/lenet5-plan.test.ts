import { createParameters, createPlanEngine, type PlanReport } from '@he-ml/ckks-core'
import { foldFactors, isCalibrated, Model } from '@he-ml/model'
import { createMultiplexedLayout, gapsWanted, lowerLayer, PackedTensor, type SlotLayout } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { lenet5 } from './testing/lenet5.ts'

interface LayerCost {
  readonly rotations: number
  readonly diagonals: number
  readonly depth: number
  readonly output: SlotLayout
}

function calibrated(model: Model): Model {
  const statistics = { count: 1, min: -4, max: 4, mean: 0, std: 1, histogram: new Float64Array(1) }
  const nodes = model.nodes.map((node) =>
    isCalibrated(node.layer) ? { ...node, layer: node.layer.calibrate(statistics, { margin: 1, degree: 7 }) } : node,
  )
  return new Model({ name: model.name, input: model.input, nodes })
}

/** Runs every layer on the plan engine and reads off what it did. */
async function planLenet5(logN: number) {
  const parameters = createParameters({ logN, levels: 17, scaleBits: 32, dnum: 6 })
  const engine = createPlanEngine(parameters)
  const model = foldFactors(calibrated(lenet5())).model
  const maxSlots = parameters.maxSlots
  const layout = createMultiplexedLayout([1, 28, 28], { maxSlots })
  let x = new PackedTensor(layout, [engine.input({ slots: layout.slots })])
  const costs = new Map<string, LayerCost>()
  for (const { name, layer } of model.nodes) {
    const lowered = lowerLayer(layer, [x.layout], { maxSlots, gaps: gapsWanted(model, name) })
    const prepared = await lowered.prepare(engine, { level: x.level })
    const since = engine.checkpoint()
    x = (await prepared.apply(engine, [x]))[0]!
    const { totals } = engine.report({ since })
    costs.set(name, { ...countsOf(totals), depth: lowered.depth, output: lowered.outputs[0]! })
  }
  const { keyRequest, plaintextBytes } = engine.report()
  return { costs, keys: keyRequest.rotations.length, bytes: plaintextBytes.peak }
}

function countsOf(totals: PlanReport['totals']) {
  const {
    rotate = 0,
    conjugate = 0,
    hoistedRotation = 0,
    transformBaby = 0,
    transformGiant = 0,
    transformTerm = 0,
  } = totals
  return { rotations: rotate + conjugate + hoistedRotation + transformBaby + transformGiant, diagonals: transformTerm }
}

/** Upper bounds: what a change must not make worse. */
const BOUNDS = {
  conv1: [8, 15],
  pool1: [2, 0],
  conv2: [29, 100],
  pool2: [2, 0],
  flatten: [0, 0],
  fc1: [25, 64],
  // of 512 values each; before layouts were priced by length there were 123 of 16,384
  fc2: [20, 64],
  fc3: [7, 3],
} as const

describe.each([15, 16])('LeNet-5 multiplexed at N = 2^%i', (logN) => {
  it('stays within its rotations and diagonals', async () => {
    const { costs, keys, bytes } = await planLenet5(logN)
    for (const [name, [rotations, diagonals]] of Object.entries(BOUNDS)) {
      expect.soft(costs.get(name)!.rotations, `${name} rotations`).toBeLessThanOrEqual(rotations)
      expect.soft(costs.get(name)!.diagonals, `${name} diagonals`).toBeLessThanOrEqual(diagonals)
    }
    expect(keys).toBeLessThanOrEqual(45)
    expect(bytes).toBeLessThanOrEqual(0.72e9)
    const depths = [...costs].map(([, c]) => c.depth)
    expect(depths).toEqual([1, 3, 0, 1, 3, 0, 0, 1, 3, 1, 3, 1])
  })
})
