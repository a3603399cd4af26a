/** Activations with parameters, concatenation and max pooling: what becomes of them, against onnxruntime. */
import { FormatError } from '@he-ml/ckks-core'
import { createTensor, type Model, sizeOf } from '@he-ml/model'
import { createBatchLayout, createMultiplexedLayout } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { parseOnnx } from '../index.ts'
import {
  buildOnnx,
  type NodeSpec,
  type OnnxSpec,
  random,
  runReference,
  type TensorSpec,
} from '../testing/build-onnx.ts'
import { runLowered } from '../testing/run-lowered.ts'

const next = random(23)
const vector = (...data: number[]): TensorSpec => ({ dims: [data.length], data })
const one = (value: number): TensorSpec => ({ dims: [], data: [value] })
const node = (op: string, inputs: string, output: string, attributes: NodeSpec['attributes'] = {}): NodeSpec => ({
  op,
  inputs: inputs.split(' ').map((i) => (i === '-' ? '' : i)),
  output,
  attributes,
})
const float = (value: number) => ({ float: value })

async function agrees(spec: OnnxSpec): Promise<Model> {
  const bytes = buildOnnx(spec)
  const model = parseOnnx(bytes)
  const { shape } = model.input
  const image = createTensor(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, () => 5 * next()),
  )
  const wanted = await runReference(bytes, image)
  const got = model.forward(image)
  expect(got.data).toHaveLength(wanted.length)
  for (const [i, v] of got.data.entries()) expect(v).toBeCloseTo(wanted[i]!, 5)
  return model
}
const functions = ({ nodes }: Model) => nodes.map(({ layer }) => ('function' in layer ? layer.function : layer.kind))
const kinds = ({ nodes }: Model) => nodes.map(({ layer }) => layer.kind)
const input = ['n', 3, 4, 5]

describe('activations with parameters', () => {
  const third = Math.fround(1 / 6)
  it.each([
    ['LeakyRelu', node('LeakyRelu', 'x', 'y'), 13, 'leakyRelu(0.01)'],
    [
      'LeakyRelu with a slope, of operator set 7',
      node('LeakyRelu', 'x', 'y', { alpha: float(0.25) }),
      7,
      'leakyRelu(0.25)',
    ],
    ['Elu', node('Elu', 'x', 'y'), 13, 'elu(1)'],
    ['Elu with alpha', node('Elu', 'x', 'y', { alpha: float(0.5) }), 22, 'elu(0.5)'],
    ['Softplus', node('Softplus', 'x', 'y'), 13, 'softplus'],
    ['HardSwish', node('HardSwish', 'x', 'y'), 14, 'hardSwish'],
    ['HardSigmoid', node('HardSigmoid', 'x', 'y'), 13, 'hardSigmoid(0.2, 0.5)'],
    [
      'HardSigmoid as PyTorch has it',
      node('HardSigmoid', 'x', 'y', { alpha: float(third) }),
      13,
      'hardSigmoid(0.16666666666666666, 0.5)',
    ],
    ['Clip by attributes', node('Clip', 'x', 'y', { min: float(-0.5), max: float(1.5) }), 10, 'clip(-0.5, 1.5)'],
    ['Clip by inputs (ReLU6)', node('Clip', 'x zero six', 'y'), 13, 'clip(0, 6)'],
    ['Clip without a lower end', node('Clip', 'x - six', 'y'), 13, 'clip(-Infinity, 6)'],
  ] as const)('%s', async (_, spec, opset, wanted) => {
    const initializers = { zero: one(0), six: one(6) }
    expect(functions(await agrees({ input, nodes: [spec], initializers, opset }))).toEqual([wanted])
  })

  it('HardSwish written out is one', async () => {
    const nodes = [node('HardSigmoid', 'x', 'h', { alpha: float(third) }), node('Mul', 'h x', 'y')]
    expect(functions(await agrees({ input, nodes, opset: 11 }))).toEqual(['hardSwish'])
  })

  it.each([
    ['per channel', { dims: [3, 1, 1], data: [0.25, -0.5, 0.1] }, 'prelu'],
    ['per channel, of operator set 7', { dims: [1, 3, 1, 1], data: [0.25, -0.5, 2] }, 'prelu'],
    ['for all', vector(0.25), 'leakyRelu(0.25)'],
    ['the same for all channels', { dims: [3, 1, 1], data: [0.25, 0.25, 0.25] }, 'leakyRelu(0.25)'],
  ] as const)('PRelu with slopes %s', async (name, a, wanted) => {
    const spec = { input, nodes: [node('PRelu', 'x a', 'y')], initializers: { a }, opset: name.includes('7') ? 7 : 16 }
    expect(functions(await agrees(spec))).toEqual([wanted])
  })
  it('PRelu after a Transpose has the slopes of its own axis', async () => {
    const nodes = [
      node('Transpose', 'x', 't', { perm: [0, 2, 3, 1] }),
      node('PRelu', 't a', 'p'),
      node('Transpose', 'p', 'y', { perm: [0, 3, 1, 2] }),
    ]
    expect(functions(await agrees({ input, nodes, initializers: { a: vector(0.25, -0.5, 0.1) } }))).toEqual(['prelu'])
  })
  it('PRelu of slopes 1 is left out', async () => {
    const nodes = [node('PRelu', 'x a', 'p'), node('Relu', 'p', 'y')]
    expect(functions(await agrees({ input, nodes, initializers: { a: vector(1) } }))).toEqual(['relu'])
  })
  it('factors and shifts per channel behind them are one affine layer', async () => {
    const nodes = [node('Elu', 'x', 'e'), node('Mul', 'e m', 'f'), node('Add', 'f b', 'y')]
    const initializers = { m: { dims: [3, 1, 1], data: [1, 2, -3] }, b: { dims: [1, 3, 1, 1], data: [0.5, 0, 1] } }
    expect(kinds(await agrees({ input, nodes, initializers }))).toEqual(['activation', 'batchNorm'])
  })
})

describe('Concat', () => {
  const weights = (outputs: number): TensorSpec => ({
    dims: [outputs, 3, 1, 1],
    data: Array.from({ length: 3 * outputs }, next),
  })
  const encrypted = async (model: Model) => {
    const { shape } = model.input
    const image = createTensor(shape, Float64Array.from({ length: sizeOf(shape) }, next))
    for (const layout of [createMultiplexedLayout(shape, { maxSlots: 512 }), createBatchLayout(shape, { slots: 2 })]) {
      const got = await runLowered(model, image, layout)
      for (const [i, v] of model.forward(image).data.entries()) expect(got.data[i]).toBeCloseTo(v, 8)
    }
  }
  it.each([1, -3])('of channels, axis %i', async (axis) => {
    const nodes = [node('Conv', 'x v', 'a'), node('Conv', 'x w', 'b'), node('Concat', 'a b x', 'y', { axis })]
    const model = await agrees({ input, nodes, initializers: { v: weights(2), w: weights(4) } })
    expect(kinds(model)).toEqual(['conv2d', 'conv2d', 'concat'])
    expect(model.shapes.get(model.output)).toEqual([9, 4, 5])
    await encrypted(model)
  })
  it('of features', async () => {
    const flat = [node('GlobalAveragePool', 'x', 'p'), node('Flatten', 'p', 'f'), node('Flatten', 'x', 'g')]
    const nodes = [...flat, node('Concat', 'f g', 'y', { axis: 1 })]
    const model = await agrees({ input, nodes })
    expect(model.shapes.get(model.output)).toEqual([63])
  })
  it('of what was turned reads it in the turned order', async () => {
    const nodes = [
      node('Transpose', 'x', 't', { perm: [0, 1, 3, 2] }),
      node('Relu', 't', 'r'),
      node('Concat', 'r t', 'y', { axis: 1 }),
    ]
    const model = await agrees({ input, nodes })
    expect(model.shapes.get(model.output)).toEqual([6, 5, 4])
  })
  it('of one value is that value; of values that do not fit it is broken', async () => {
    const nodes = [node('Concat', 'x', 'c', { axis: 1 }), node('Relu', 'c', 'y')]
    expect(kinds(await agrees({ input, nodes }))).toEqual(['activation'])
    const pooled = [node('GlobalAveragePool', 'x', 'p'), node('Concat', 'x p', 'y', { axis: 1 })]
    expect(() => parseOnnx(buildOnnx({ input, nodes: pooled }))).toThrow(FormatError)
    expect(() => parseOnnx(buildOnnx({ input, nodes: [node('Concat', 'x x', 'y', { axis: 4 })] }))).toThrow(FormatError)
  })
})

describe('MaxPool', () => {
  it.each([
    ['2 x 2', { kernel_shape: [2, 2], strides: [2, 2] }, ['pairMax', 'pairMax']],
    ['3 x 3, overlapping', { kernel_shape: [3, 3], strides: [2, 2] }, ['pairMax', 'pairMax', 'pairMax', 'pairMax']],
    ['of rows, stride 1', { kernel_shape: [3, 1] }, ['pairMax', 'pairMax']],
    ['of columns, all of them', { kernel_shape: [1, 7] }, ['pairMax', 'pairMax', 'pairMax']],
    ['with a stride beyond the window', { kernel_shape: [2, 1], strides: [3, 2] }, ['select', 'pairMax']],
    ['VALID', { kernel_shape: [2, 2], strides: [2, 2], auto_pad: 'VALID' }, ['pairMax', 'pairMax']],
  ] as const)('%s', async (_, attributes, wanted) => {
    const model = await agrees({ input: ['n', 2, 6, 7], nodes: [node('MaxPool', 'x', 'y', attributes)] })
    expect(kinds(model)).toEqual(wanted)
    expect(model.nodes.at(-1)!.name).toBe('n0')
  })
  it('with pads after a Relu pads with zeros', async () => {
    const nodes = [
      node('Relu', 'x', 'r'),
      node('MaxPool', 'r', 'y', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    ]
    const model = await agrees({ input: ['n', 2, 6, 6], nodes })
    expect(kinds(model)).toEqual(['activation', 'conv2d', 'pairMax', 'pairMax', 'pairMax', 'pairMax'])
  })
  it('with dilations of windows of one pixel is a slice', async () => {
    const nodes = [node('MaxPool', 'x', 'y', { kernel_shape: [1, 1], strides: [2, 2], dilations: [2, 2] })]
    expect(kinds(await agrees({ input: ['n', 2, 6, 6], nodes }))).toEqual(['select'])
  })
})
