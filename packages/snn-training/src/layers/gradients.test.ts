import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { LayerDescription, NetworkRecipe } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { createNetwork } from '../network/network.ts'
import { normals, randomSignal, smooth, worstGradientError } from '../testing.test-helper.ts'

type Layers = NetworkRecipe['layers']
const surrogate = { kind: 'rectangle', width: 0.5 } as const
const lif = { kind: 'lif', beta: 0.6, threshold: 0.8, reset: 'subtract' } as const
const qif = { kind: 'qif', a: 0.25, u1: -0.1, u2: 0.5, threshold: 0.75, reset: 'zero' } as const
const first: Layers[number] = { kind: 'conv2d', name: 'first', outChannels: 2, kernel: [3, 3], padding: 1 }
const end: Layers = [
  { kind: 'flatten', name: 'flat' },
  { kind: 'linear', name: 'last', outFeatures: 3 },
]
const recipe = (middle: Layers, timeSteps = 3): NetworkRecipe => ({
  name: 'test',
  inputShape: [2, 5, 4],
  timeSteps,
  layers: [first, ...middle, ...end],
})
const tdBatchNorm = { kind: 'tdBatchNorm', name: 'norm', threshold: 0.8 } as const
const neuron = (description: typeof lif | typeof qif, name = 'neuron') =>
  ({ kind: 'neuron', name, neuron: description, surrogate }) as const

const cases: readonly [string, Layers][] = [
  [
    'convolution, stride, padding, groups',
    [{ kind: 'conv2d', name: 'conv', outChannels: 4, kernel: [3, 2], stride: 2, padding: 1, groups: 2 }],
  ],
  ['convolution without bias', [{ kind: 'conv2d', name: 'conv', outChannels: 2, kernel: [2, 3], bias: false }]],
  ['average pooling', [{ kind: 'averagePool2d', name: 'pool', kernel: 2, stride: 2 }]],
  ['overlapping average pooling', [{ kind: 'averagePool2d', name: 'pool', kernel: 3, stride: 1 }]],
  ['max pooling', [{ kind: 'maxPool2d', name: 'pool', kernel: 2, stride: 2 }]],
  ['overlapping max pooling', [{ kind: 'maxPool2d', name: 'pool', kernel: 2, stride: 1 }]],
  ['dropout', [{ kind: 'dropout', name: 'drop', rate: 0.4 }]],
  ['tdBN', [tdBatchNorm]],
  ['affine', [{ kind: 'affine', name: 'affine' }]],
  ['LIF', [neuron(lif)]],
  ['QIF', [neuron(qif)]],
  [
    'membrane readout',
    [{ kind: 'neuron', name: 'neuron', neuron: { ...qif, reset: 'none' }, surrogate, output: 'membrane' }],
  ],
  [
    'two layers of neurons with tdBN',
    [
      tdBatchNorm,
      neuron(lif),
      { kind: 'conv2d', name: 'conv', outChannels: 3, kernel: [2, 2] },
      { ...tdBatchNorm, name: 'norm2' },
      neuron(qif, 'second'),
    ],
  ],
  [
    'residual block',
    [
      {
        kind: 'residual',
        name: 'block',
        main: [{ kind: 'conv2d', name: 'main', outChannels: 2, kernel: [3, 3], padding: 1 }, tdBatchNorm, neuron(lif)],
        shortcut: [{ kind: 'conv2d', name: 'short', outChannels: 2, kernel: [1, 1] }],
      },
    ],
  ],
  ['identity shortcut', [{ kind: 'residual', name: 'block', main: [{ kind: 'affine', name: 'main' }, neuron(qif)] }]],
]

describe('gradients against central finite differences in double precision', () => {
  it.each(cases)('%s, frames', async (_name, layers) => {
    expect(await worstGradientError(recipe(layers), randomSignal(3, 2, [2, 5, 4], 1))).toBeLessThan(1e-5)
  })
  it.each(cases)('%s, static input', async (_name, layers) => {
    expect(await worstGradientError(recipe(layers), randomSignal(1, 2, [2, 5, 4], 2))).toBeLessThan(1e-5)
  })
  it('tdBN with frozen statistics', async () => {
    const layers: Layers = [tdBatchNorm, neuron(lif)]
    const worst = await worstGradientError(recipe(layers), randomSignal(3, 2, [2, 5, 4], 3), { frozenStatistics: true })
    expect(worst).toBeLessThan(1e-5)
  })
})

describe('a static input', () => {
  it.each(cases.filter(([name]) => !name.includes('tdBN') && name !== 'residual block'))(
    '%s: the same as its repetition over time',
    async (_name, layers) => {
      const still = randomSignal(1, 2, [2, 5, 4], 4)
      const repeated = { ...still, steps: 3, data: Float64Array.of(...still.data, ...still.data, ...still.data) }
      const run = async (input: typeof still) => {
        const network = createNetwork(recipe(layers), smooth)
        const output = await network.forward(input, { training: true })
        await network.backward({ ...output, data: normals(output.data.length, 8) })
        return [output.data, ...network.parameters.map(({ gradient }) => gradient)]
      }
      const [once, each] = [await run(still), await run(repeated)]
      for (const [i, values] of once.entries())
        for (let k = 0; k < values.length; k++) expect(values[k]).toBeCloseTo(each[i]![k]!, 10)
    },
  )
})

describe('passes', () => {
  it('refuse a backward pass without a forward pass in training', async () => {
    const network = createNetwork(recipe([]))
    const signal = { data: new Float32Array(9), steps: 3, batch: 1, shape: [3] }
    await expect(network.backward(signal)).rejects.toThrow(InvalidArgumentError)
    const input = { data: new Float32Array(40), steps: 1, batch: 1, shape: [2, 5, 4] }
    await network.forward(input)
    await expect(network.backward(signal)).rejects.toThrow(/training/)
    await network.forward(input, { training: true })
    await expect(network.backward({ ...signal, data: new Float32Array(8) })).rejects.toThrow(/expected 9 values/)
  })
  it('refuse inputs that do not fit', async () => {
    const network = createNetwork(recipe([]))
    await expect(network.forward(randomSignal(1, 1, [2, 5, 4], 1))).rejects.toThrow(/float32/)
    const data = new Float32Array(80)
    await expect(network.forward({ data, steps: 2, batch: 1, shape: [2, 5, 4] })).rejects.toThrow(/1 or 3 steps/)
    const onFrames = createNetwork({ ...recipe([]), inputTime: 'perStep' })
    const still = { data: new Float32Array(40), steps: 1, batch: 1, shape: [2, 5, 4] }
    await expect(onFrames.forward(still)).rejects.toThrow(
      /expected 3 steps of \[2,5,4\], as its input is 'perStep', got 1/,
    )
    await expect(onFrames.forward({ ...still, data: new Float32Array(120), steps: 3 })).resolves.toBeDefined()
  })
  it('drop the same values at every time step, and none in inference', async () => {
    const layers: LayerDescription[] = [{ kind: 'dropout', name: 'drop', rate: 0.5 }]
    const network = createNetwork({ name: 'drop', inputShape: [100], timeSteps: 2, layers })
    const input = { data: new Float32Array(200).fill(1), steps: 2, batch: 1, shape: [100] }
    const { data } = await network.forward(input, { training: true, seed: 3 })
    expect(data.slice(0, 100)).toEqual(data.slice(100))
    expect(new Set(data)).toEqual(new Set([0, 2]))
    const other = await network.forward(input, { training: true, seed: 4 })
    expect(other.data).not.toEqual(data)
    expect((await network.forward(input)).data).toEqual(input.data)
  })
})
