import { InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { checkNetwork, tensorShapes } from './check.ts'

const base = { name: 'net', inputShape: [2, 6, 6], timeSteps: 2 }
const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'zero' }
const surrogate = { kind: 'rectangle', width: 1 }
const grid = { step: 0.25, count: 16 }
const end = [
  { kind: 'flatten', name: 'flat' },
  { kind: 'linear', name: 'fc', outFeatures: 2 },
]

describe('checkNetwork', () => {
  it('fills in defaults', () => {
    const layers = [{ kind: 'conv2d', name: 'c', outChannels: 2, kernel: [3, 3] }, ...end]
    expect(checkNetwork({ ...base, layers }).layers[0]).toEqual({
      kind: 'conv2d',
      name: 'c',
      outChannels: 2,
      kernel: [3, 3],
      stride: 1,
      padding: 0,
      groups: 1,
      bias: true,
    })
  })
  it.each([
    [[{ kind: 'linear', name: 'fc', outFeatures: 2 }], /"fc" \(linear\): expected \[features\]/],
    [[{ kind: 'conv2d', name: 'c', outChannels: 2, kernel: [7, 3] }, ...end], /window no larger/],
    [[{ kind: 'conv2d', name: 'c', outChannels: 3, kernel: [3, 3], groups: 2 }, ...end], /groups that divide/],
    [[{ kind: 'maxPool2d', name: 'p', kernel: 8, stride: 1 }, ...end], /window no larger/],
    [[...end, { kind: 'affine', name: 'fc' }], /"fc" twice/],
    [[{ kind: 'affine', name: 'a' }], /expected \[classes\] at the end/],
    [[...end, { kind: 'averagePool2d', name: 'p', kernel: 2, stride: 2 }], /\[channels, height, width\]/],
    [[{ kind: 'neuron', name: 'n', neuron, surrogate, output: 'membrane' }, ...end], /reset "none"/],
    [[{ kind: 'neuron', name: 'n', neuron, surrogate, grid: { step: 0.1, count: 15 } }, ...end], /count/],
    [[{ kind: 'neuron', name: 'n', neuron, surrogate, rangePenalty: 0.1 }, ...end], /rangePenalty.*without a grid/],
    [[{ kind: 'neuron', name: 'n', neuron, surrogate, grid, rangePenalty: -1 }, ...end], /rangePenalty/],
    [[{ kind: 'neuron', name: 'n', neuron, surrogate, grid, rangePenalty: Infinity }, ...end], /rangePenalty/],
    [[{ kind: 'neuron', name: 'n', neuron: { ...neuron, beta: 2 }, surrogate }, ...end], /beta/],
    [
      [{ kind: 'residual', name: 'r', main: [{ kind: 'conv2d', name: 'c', outChannels: 2, kernel: [3, 3] }] }, ...end],
      /two paths of one shape/,
    ],
    [[{ kind: 'transformer', name: 't' }], /layers\.0/],
    [[{ kind: 'affine', name: 'a b' }, ...end], /name/],
    [[], /layers/],
  ])('refuses %j', (layers, message) => {
    expect(() => checkNetwork({ ...base, layers })).toThrow(InvalidArgumentError)
    expect(() => checkNetwork({ ...base, layers })).toThrow(message)
  })
  it.each([
    [{ step: 1, count: 3 }, /inputGrid.count/],
    [{ step: 0, count: 4 }, /inputGrid.step/],
    [{ step: 1, count: 0 }, /inputGrid.count/],
    [{ step: 1, count: 2 ** 20 }, /inputGrid.count/],
    [{ step: 1 }, /inputGrid.count/],
    [{ step: 1, count: 4, offset: 1 }, /inputGrid/],
  ])('refuses the input grid %j', (inputGrid, message) => {
    expect(() => checkNetwork({ ...base, inputGrid, layers: end })).toThrow(InvalidArgumentError)
    expect(() => checkNetwork({ ...base, inputGrid, layers: end })).toThrow(message)
    expect(checkNetwork({ ...base, inputGrid: { step: 1, count: 4 }, layers: end }).inputGrid?.count).toBe(4)
  })
  it('refuses sizes beyond reason before taking memory', () => {
    const wide = { kind: 'conv2d', name: 'c', outChannels: 65_536, kernel: [1, 1] }
    const layers = [wide, { ...wide, name: 'd' }, ...end]
    expect(() => checkNetwork({ ...base, layers })).toThrow(/at most/)
  })
  it('knows the tensors of every layer', () => {
    const { layers, inputShape } = checkNetwork({
      ...base,
      layers: [
        { kind: 'conv2d', name: 'c', outChannels: 4, kernel: [3, 2], groups: 2, bias: false },
        { kind: 'tdBatchNorm', name: 'n', threshold: 1 },
        { kind: 'residual', name: 'r', main: [{ kind: 'affine', name: 'a' }] },
        { kind: 'neuron', name: 's', neuron, surrogate },
        ...end,
      ],
    })
    expect(tensorShapes(layers, inputShape).map(({ name, shape }) => `${name} ${shape.join(' x ')}`)).toEqual([
      'c.weight 4 x 1 x 3 x 2',
      'n.gamma 4',
      'n.beta 4',
      'n.mean 4',
      'n.variance 4',
      'a.scale 4',
      'a.shift 4',
      'fc.weight 2 x 80',
      'fc.bias 2',
    ])
  })
})
