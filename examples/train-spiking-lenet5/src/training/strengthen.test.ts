import { applyCommonGrid, createNetwork } from '@he-ml/snn-training'
import { describe, expect, it } from 'vitest'
import { strengthened } from './strengthen.ts'

const network = createNetwork({
  name: 'one',
  inputShape: [4],
  timeSteps: 1,
  layers: [
    { kind: 'linear', name: 'fc1', outFeatures: 1 },
    {
      kind: 'neuron',
      name: 'neurons',
      neuron: { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' },
      surrogate: { kind: 'rectangle', width: 0.5 },
    },
    { kind: 'linear', name: 'fc2', outFeatures: 2 },
  ],
})
const values = { 'fc1.weight': [0.1, -0.3, 0, 0.3], 'fc1.bias': [0.7], 'fc2.weight': [1, 2], 'fc2.bias': [3, 4] }
for (const [name, value] of Object.entries(values)) network.state.find((s) => s.name === name)!.value.set(value)
const gridded = applyCommonGrid(network, { grid: { step: 0.5, count: 16 }, inputGrid: { step: 0.5, count: 8 } })
const weights = (strength: number) => [...strengthened(network, gridded, strength).state.map(({ value }) => [...value])]

describe('strengthened', () => {
  // the step of weights times inputs in halves is 1; of the four, with a mean of 0.175, two are above 0.1225, both 0.3
  it.each([
    [0, 1],
    [0.5, Math.sqrt(1 / 0.3)],
    [1, 1 / 0.3],
  ])('with %d multiplies the weights of a coarse layer by %d, and nothing else', (strength, factor) => {
    const [first, ...others] = weights(strength)
    for (const [i, v] of first!.entries()) expect(v).toBeCloseTo(values['fc1.weight'][i]! * factor, 6)
    expect(others).toEqual([[Math.fround(0.7)], [1, 2], [3, 4]])
  })
  it('leaves weights alone that are larger than their step', () => {
    const fine = applyCommonGrid(network, { grid: { step: 0.125, count: 64 } })
    expect(strengthened(network, fine, 1).state.map(({ value }) => [...value])).toEqual(weights(0))
  })
})
