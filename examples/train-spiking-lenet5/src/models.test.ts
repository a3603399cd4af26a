/** What the shipped models on grids are made for: nothing but points of one grid, whatever they see. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadModel } from '@he-ml/snn-training/node'
import { describe, expect, it } from 'vitest'
import { neuronLayers } from './model/neuron-layers.ts'
import { RECIPES } from './recipes/index.ts'
import { MODELS_FOLDER } from './training/start-network.ts'

const names = readdirSync(MODELS_FOLDER)
  .filter((file) => file.endsWith('-grid.json'))
  .map((file) => file.slice(0, -'.json'.length))

describe.each(names)('%s', (name) => {
  it('has one grid for all neurons, that of its recipe, and another for its input', async () => {
    const { network } = await loadModel(join(MODELS_FOLDER, name))
    const { start } = RECIPES[name]!
    if (start.kind !== 'grids') throw new Error('expected a recipe on grids')
    expect(network.description.inputGrid).toEqual(start.inputGrid)
    for (const { grid, neuron } of neuronLayers(network)) {
      expect(grid).toEqual(start.grid)
      expect(Number.isInteger(neuron.threshold / grid!.step)).toBe(true)
    }
  })

  it('has currents on the grid, exactly: weights are multiples of its step over that of what they read', async () => {
    const { network } = await loadModel(join(MODELS_FOLDER, name))
    const { layers, inputGrid } = network.description
    const { step } = neuronLayers(network)[0]!.grid!
    // what the next weights read is multiples of this; sums of fewer than 2^24 steps are exact in single precision
    let read = inputGrid!.step
    expect(Number.isInteger(Math.log2(step))).toBe(true)
    for (const { kind, name, ...layer } of layers.slice(0, -1)) {
      if (kind === 'neuron') read = 1
      if ('kernel' in layer && typeof layer.kernel === 'number') read /= layer.kernel ** 2
      if (kind !== 'conv2d' && kind !== 'linear') continue
      for (const tensor of network.state.filter((own) => own.name.startsWith(`${name}.`))) {
        const unit = tensor.name.endsWith('.bias') ? step : step / read
        expect(
          tensor.value.every((v) => Number.isInteger(v / unit)),
          tensor.name,
        ).toBe(true)
      }
    }
  })
})
