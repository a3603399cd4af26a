import { createDefaultCostModel, createPlanEngine, insecureParameters } from '@he-ml/ckks-core'
import { Model } from '@he-ml/model'
import { activation, add, conv2d } from '@he-ml/nn-layers'
import { createBatchLayout, PackedTensor } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { randomTensor } from '../pipeline.test-helper.ts'
import { LayerCosts } from './layer-costs.ts'
import { lowerModel } from './lower-model.ts'

const parameters = insecureParameters({ logN: 10, levels: 9, scaleBits: 40, dnum: 3 })
const costModel = createDefaultCostModel({ threads: 1 })
const statistics = { count: 9, min: -1, max: 1, mean: 0, std: 1, histogram: new Float64Array(8) }
const relu = activation({ name: 'relu', function: 'relu' }) as unknown as {
  calibrate(s: typeof statistics, o: { margin: number; degree: number }): never
}
const model = new Model({
  name: 'm',
  input: { name: 'image', shape: [1, 4, 4] },
  nodes: [
    { layer: conv2d({ name: 'conv', weights: randomTensor([2, 1, 3, 3], 1), padding: 1 }), inputs: ['image'] },
    { layer: relu.calibrate(statistics, { margin: 1, degree: 7 }), inputs: ['conv'] },
    { layer: add({ name: 'sum' }), inputs: ['relu', 'conv'] },
  ],
})

describe('prices of the layers of a batch', () => {
  it('are at every level those of the whole circuit run there', async () => {
    const lowered = lowerModel(model, createBatchLayout([1, 4, 4], { slots: 512 }), 512)
    const names = lowered.nodes.map(({ name }) => name)
    const prices = await new LayerCosts(parameters, costModel).all(lowered, new Map(names.map((name) => [name, 9])))
    for (const { name, inputs, circuit: layer } of lowered.nodes)
      for (let level = 0; level <= 9; level++) {
        const price = prices.get(name)![level]!
        if (level < layer.depth) {
          expect(price).toBe(Number.POSITIVE_INFINITY)
          continue
        }
        const engine = createPlanEngine(parameters, { costModel })
        using prepared = await layer.prepare(engine, { level })
        const given = inputs.map((input) => {
          const layout = lowered.layouts.get(input)!
          return new PackedTensor(
            layout,
            Array.from({ length: layout.ciphertexts }, () => engine.input({ level, slots: 512 })),
          )
        })
        const since = engine.checkpoint()
        await prepared.apply(engine, given)
        expect(price / engine.report({ since }).seconds, `${name} at ${level}`).toBeCloseTo(1, 9)
      }
  })
})
