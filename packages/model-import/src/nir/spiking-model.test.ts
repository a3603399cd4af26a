/** Networks of NIR graphs against NIR's own equations, step by step. */
import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { encodeSpikingModel, parseSpikingModel } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { array, chain, lif } from '../testing/nir-graphs.ts'
import { spikingModelOfNir } from './spiking-model.ts'
import type { NirGraph, NirLif, NirNode } from './types.ts'

const options = { dt: 0.001, timeSteps: 4 }
const input = (shape: number[]): NirNode => ({ type: 'Input', shape })
const output = (shape: number[]): NirNode => ({ type: 'Output', shape })
const neurons = lif([3], 0.004) as NirLif
const dense = (node: NirNode): NirGraph =>
  chain({
    input: input([2]),
    'fc 1': { type: 'Affine', weight: array([3, 2]), bias: array([3]) },
    '2-lif': node,
    out: { type: 'Linear', weight: array([2, 3]) },
    output: output([2]),
  })

describe('the network of a NIR graph', () => {
  it('has the layers under names that files may have', () => {
    const { network, tensors } = spikingModelOfNir(dense(neurons), options)
    expect(network.layers.map(({ name, kind }) => [name, kind])).toEqual([
      ['fc-1', 'linear'],
      ['n2-lif-input', 'affine'],
      ['n2-lif', 'neuron'],
      ['out', 'linear'],
    ])
    // tau is 4 dt: a quarter of the input comes in, three quarters of the membrane stay
    expect(network.layers[2]).toMatchObject({ neuron: { kind: 'lif', beta: 0.75, threshold: 1, reset: 'zero' } })
    expect(tensors.get('n2-lif-input.scale')!.data).toEqual(Float32Array.of(0.25, 0.25, 0.25))
    const files = encodeSpikingModel(spikingModelOfNir(dense(neurons), options))
    expect(parseSpikingModel(files).network).toEqual(network)
  })

  it("takes IF's, QIF's and subtractions for what they are", () => {
    const fires = {
      type: 'IF',
      r: array([3], () => 1000),
      v_threshold: array([3], () => 1),
      v_reset: array([3], () => 0),
    }
    const integrate = spikingModelOfNir(dense(fires as NirNode), options)
    expect(integrate.network.layers.map(({ kind }) => kind)).toEqual(['linear', 'neuron', 'linear'])
    expect(integrate.network.layers[1]).toMatchObject({ neuron: { beta: 1, threshold: 1 } })
    const subtracting = spikingModelOfNir(dense({ ...neurons, metadata: { reset: 'subtract' } }), options)
    expect(subtracting.network.layers[2]).toMatchObject({ neuron: { reset: 'subtract' } })
    const one = (x: number) => array([3], () => x)
    const qif = { type: 'HeMlQIF', a: one(0.25), u1: one(0), u2: one(0.5), v_threshold: one(1), v_reset: one(0) }
    const quadratic = spikingModelOfNir(dense(qif as NirNode), options)
    expect(quadratic.network.layers[1]).toMatchObject({
      neuron: { kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1 },
    })
  })

  it('scales inputs where thresholds differ, and lets sums over windows go into the next weights', () => {
    const differing = { ...neurons, v_threshold: array([3], (i) => i + 1), v_leak: array([3], () => 2) }
    const { network, tensors } = spikingModelOfNir(dense(differing), { ...options, method: 'exact' })
    const beta = Math.exp(-0.25)
    expect(network.layers[2]).toMatchObject({ neuron: { beta, threshold: 1 } })
    for (const [what, factor] of [
      ['scale', 1],
      ['shift', 2],
    ] as const)
      for (const [i, x] of tensors.get(`n2-lif-input.${what}`)!.data.entries())
        expect(x).toBeCloseTo(((1 - beta) * factor) / (i + 1), 6)
    const pool = { kernel_size: [2, 2], stride: [2, 2], padding: [0, 0] } as const
    const pooled = spikingModelOfNir(
      chain({
        input: input([1, 4, 4]),
        sum: { type: 'SumPool2d', ...pool },
        average: { type: 'AvgPool2d', ...pool },
        flatten: { type: 'Flatten', start_dim: 0, end_dim: -1, input_type: [1, 1, 1] },
        fc: { type: 'Linear', weight: array([2, 1], () => 0.5) },
        output: output([2]),
      }),
      { ...options, inputTime: 'perStep' },
    )
    expect(pooled.tensors.get('fc.weight')!.data).toEqual(Float32Array.of(2, 2))
    expect(pooled.network.inputTime).toBe('perStep')
    const last = spikingModelOfNir(
      chain({
        input: input([1, 2, 2]),
        sum: { type: 'SumPool2d', ...pool },
        flatten: { type: 'Flatten', start_dim: 0, end_dim: -1, input_type: [1, 1, 1] },
        output: output([1]),
      }),
      options,
    )
    expect(last.tensors.get('output-scale.scale')!.data).toEqual(Float32Array.of(4))
  })

  const conv = (change: object): NirNode =>
    ({
      ...{ type: 'Conv2d', weight: array([1, 1, 3, 3]), bias: array([1]), stride: [1, 1], padding: [1, 1] },
      ...{ dilation: [1, 1], groups: 1, ...change },
    }) as NirNode
  const image = (node: NirNode, shape: number[] = [1, 4, 4]): NirGraph => {
    const size = shape.reduce((a, b) => a * b)
    const flatten = { type: 'Flatten', start_dim: 0, end_dim: -1, input_type: shape } as const
    return chain({ input: input([1, 4, 4]), node, flatten, output: output([size]) })
  }

  it('knows the paddings of convolutions', () => {
    const paddingOf = (change: object, shape?: number[]) =>
      (spikingModelOfNir(image(conv(change), shape), options).network.layers[0] as { padding: number }).padding
    expect([paddingOf({}), paddingOf({ padding: 'same' }), paddingOf({ padding: 'valid' }, [1, 2, 2])]).toEqual([
      1, 1, 0,
    ])
  })

  it.each([
    [chain({ input: input([1, 4, 4]), node: conv({}), output: output([1, 4, 4]) }), /ends in \[1,4,4\].*add a Flatten/],
    [dense({ ...neurons, v_reset: array([3], () => -1) }), /"2-lif" \(LIF\) resets to other potentials/],
    [dense({ ...neurons, tau: array([3], (i) => 0.004 + i) }), /differ in their decay/],
    [dense({ ...neurons, v_threshold: array([3], (i) => i) }), /thresholds of 0 or less/],
    [dense({ type: 'LI', tau: array([3], () => 1), r: array([3]), v_leak: array([3]) }), /\(LI\) gives membranes/],
    [image(conv({ dilation: [2, 2], padding: [2, 2] })), /dilated/],
    [image(conv({ padding: [1, 0] }), [1, 4, 2]), /padding is 1 x 0: only squares/],
    [image(conv({ weight: array([1, 1, 2, 2]), padding: 'same' })), /odd squares/],
    [image({ type: 'AvgPool2d', kernel_size: [2, 2], stride: [2, 2], padding: [1, 1] }, [1, 3, 3]), /pads/],
    [
      { ...dense(neurons), edges: [...dense(neurons).edges, ['fc 1', 'out'] as const] },
      /several edges leave node "fc 1": only chains/,
    ],
  ])('is refused: %#', (graph, message) => {
    expect(() => spikingModelOfNir(graph, options)).toThrow(UnsupportedError)
    expect(() => spikingModelOfNir(graph, options)).toThrow(message)
  })
  it.each([{ timeSteps: 0 }, { timeSteps: 1.5 }, { timeSteps: 2000 }, { dt: 0 }])('takes no %o', (change) => {
    expect(() => spikingModelOfNir(dense(neurons), { ...options, ...change })).toThrow(InvalidArgumentError)
  })
})
