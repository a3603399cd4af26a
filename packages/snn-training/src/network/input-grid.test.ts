import { roundToGrid } from '@he-ml/float-kernels'
import type { NetworkRecipe } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { normals } from '../testing.test-helper.ts'
import { createNetwork, type NetworkOptions } from './network.ts'

const grid = { step: 0.5, count: 8 }
const recipe: NetworkRecipe = {
  name: 'rounded',
  inputShape: [1, 4, 4],
  timeSteps: 2,
  layers: [
    { kind: 'conv2d', name: 'conv', outChannels: 3, kernel: [3, 3] },
    {
      kind: 'neuron',
      name: 'neurons',
      neuron: { kind: 'lif', beta: 0.5, threshold: 0.5, reset: 'subtract' },
      surrogate: { kind: 'rectangle', width: 1 },
    },
    { kind: 'flatten', name: 'flat' },
    { kind: 'linear', name: 'fc', outFeatures: 2 },
  ],
}

describe.each(['float32', 'float64'] as const)('an input grid in %s', (precision) => {
  const options: NetworkOptions = { precision, seed: 3 }
  const plain = createNetwork(recipe, options)
  const rounding = createNetwork({ ...recipe, inputGrid: grid }, options)
  const signal = (steps: number) => {
    const values = normals(steps * 3 * 16, 1)
    return {
      data: precision === 'float32' ? Float32Array.from(values) : values,
      steps,
      batch: 3,
      shape: [1, 4, 4],
    }
  }

  it.each([1, 2])('rounds what is read before anything else, %i frames, and leaves the input alone', async (steps) => {
    const input = signal(steps)
    const rounded = { ...input, data: input.data.slice() }
    roundToGrid(input.data, grid, rounded.data)
    for (const training of [false, true]) {
      const got = await rounding.forward(input, { training })
      expect(got.data).toEqual((await plain.forward(rounded, { training })).data)
      expect(got.data).not.toEqual((await plain.forward(input)).data)
      if (!training) continue
      const gradient = { ...got, data: got.data.map((_, i) => i - 5) }
      for (const network of [rounding, plain]) await network.backward(gradient)
      for (const [i, { gradient: own, name }] of rounding.parameters.entries())
        expect(own, name).toEqual(plain.parameters[i]!.gradient)
    }
    expect(input).toEqual(signal(steps))
  })
})
