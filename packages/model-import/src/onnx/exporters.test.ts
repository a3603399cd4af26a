/** Networks in the form in which exporters write them, against onnxruntime, and on both layouts against the clear model. */
import { createTensor, sizeOf } from '@he-ml/model'
import { createBatchLayout, createMultiplexedLayout } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { parseOnnx } from '../index.ts'
import {
  type AttributeValue,
  buildOnnx,
  type NodeSpec,
  type OnnxSpec,
  random,
  runReference,
  type TensorSpec,
} from '../testing/build-onnx.ts'
import { runLowered } from '../testing/run-lowered.ts'

const next = random(23)
const MOST = 2n ** 63n - 1n
const values = (...dims: number[]): TensorSpec => ({
  dims,
  data: Array.from({ length: sizeOf(dims) }, next),
})
const ints = (...data: (number | bigint)[]): TensorSpec => ({ dims: [data.length], data, type: 7 })
const scalars = (dims: number[], ...data: number[]): TensorSpec => ({ dims, data })
const one = (value: number): TensorSpec => ({ dims: [], data: [value] })
const node = (
  op: string,
  inputs: string,
  output: string,
  attributes: Record<string, AttributeValue> = {},
): NodeSpec => ({
  op,
  inputs: inputs === '' ? [] : inputs.split(' ').map((name) => (name === '-' ? '' : name)),
  output,
  attributes,
})

interface Network extends OnnxSpec {
  readonly layers: readonly string[]
}

/** ReLU has no polynomial before it is fitted, so networks that also run on layouts square instead. */
const networks: Record<string, Network> = {
  'PyTorch: Linear without bias leaves a Transpose of its weights': {
    input: ['n', 4],
    nodes: [node('Transpose', 'w', 'wt', { perm: [1, 0] }), node('MatMul', 'x wt', 'y')],
    initializers: { w: values(3, 4) },
    layers: ['linear'],
  },
  'CNTK: Reshape of the weights': {
    input: [1, 4],
    nodes: [node('Reshape', 'w s', 'm'), node('MatMul', 'x m', 'y')],
    initializers: { w: values(2, 2, 3), s: ints(4, 3) },
    opset: 8,
    layers: ['linear'],
  },
  'PyTorch: ZeroPad2d(1, 2, 0, 1), the pads computed from constants': {
    input: [1, 1, 4, 4],
    nodes: [
      node('ConstantOfShape', 'four', 'zeros', { value: { tensor: { dims: [1], data: [0], type: 7 } } }),
      node('Concat', 'given zeros', 'eight', { axis: 0 }),
      node('Reshape', 'eight pairs', 'rows'),
      node('Slice', 'rows from to axis step', 'reversed'),
      node('Transpose', 'reversed', 'turned', { perm: [1, 0] }),
      node('Reshape', 'turned flat', 'list'),
      node('Cast', 'list', 'pads', { to: 7 }),
      node('Pad', 'x pads zero', 'p'),
      node('Conv', 'p w', 'y'),
    ],
    initializers: {
      four: ints(4),
      given: ints(1, 2, 0, 1),
      pairs: ints(-1, 2),
      from: ints(-1),
      to: ints(-MOST),
      axis: ints(0),
      step: ints(-1),
      flat: ints(-1),
      zero: one(0),
      w: values(1, 1, 3, 3),
    },
    layers: ['conv2d'],
  },
  'PyTorch: view(x.size(0), -1) with an open batch': {
    input: ['n', 2, 2, 2],
    nodes: [
      node('Shape', 'x', 's'),
      node('Constant', '', 'zero', { value: { tensor: { dims: [], data: [0], type: 7 } } }),
      node('Gather', 's zero', 'b', { axis: 0 }),
      node('Unsqueeze', 'b axis', 'b1'),
      node('Concat', 'b1 rest', 't', { axis: 0 }),
      node('Reshape', 'x t', 'f'),
      node('MatMul', 'f w', 'y'),
    ],
    initializers: { axis: ints(0), rest: ints(-1), w: values(8, 2) },
    layers: ['flatten', 'linear'],
  },
  'PyTorch, dynamo: view computed from sizes, target with Equal and Where': {
    input: ['n', 2, 2, 3],
    opset: 18,
    nodes: [
      node('Shape', 'x', 'b', { start: 0, end: 1 }),
      node('Shape', 'x', 'rest', { start: 1 }),
      node('ReduceProd', 'rest', 'count', { keepdims: 1 }),
      node('Concat', 'b count', 't0', { axis: 0 }),
      node('Equal', 't0 minus', 'test'),
      node('Where', 'test ones t0', 't'),
      node('Reshape', 'x t', 'f', { allowzero: 1 }),
      node('Gemm', 'f w c', 'y', { transB: 1 }),
    ],
    initializers: { minus: ints(-1), ones: ints(1, 1), w: values(3, 12), c: values(3) },
    layers: ['flatten', 'linear'],
  },
  'shortcut of option A: every second pixel, channels padded': {
    input: [1, 2, 6, 6],
    nodes: [
      node('Conv', 'x w', 'c', { strides: [2, 2], pads: [1, 1, 1, 1] }),
      node('Slice', 'x starts ends axes steps', 's'),
      node('Pad', 's pads', 'p'),
      node('Add', 'c p', 'y'),
    ],
    initializers: {
      w: values(4, 2, 3, 3),
      starts: ints(0, 0),
      ends: ints(MOST, MOST),
      axes: ints(2, 3),
      steps: ints(2, 2),
      pads: ints(0, 1, 0, 0, 0, 1, 0, 0),
    },
    layers: ['conv2d', 'conv2d', 'add'],
  },
  'Keras by tf2onnx: Conv2D, square, Flatten in NHWC order, Dense': {
    input: ['n', 4, 4, 3],
    nodes: [
      node('Transpose', 'x', 't', { perm: [0, 3, 1, 2] }),
      node('Conv', 't w', 'c', { auto_pad: 'SAME_UPPER' }),
      node('Mul', 'c c', 'r'),
      node('Transpose', 'r', 'q', { perm: [0, 2, 3, 1] }),
      node('Reshape', 'q s', 'f'),
      node('MatMul', 'f d', 'm'),
      node('Add', 'm e', 'y'),
    ],
    initializers: { d: values(32, 3), e: values(3), s: ints(-1, 32), w: values(2, 3, 3, 3) },
    layers: ['select', 'conv2d', 'square', 'select', 'linear'],
  },
  'Keras by tf2onnx: bias and padding in NHWC order, mean over rows and columns': {
    input: ['n', 4, 4, 3],
    nodes: [
      node('Add', 'x b', 'a'),
      node('Pad', 'a pads', 'p'),
      node('Transpose', 'p', 't', { perm: [0, 3, 1, 2] }),
      node('Conv', 't w', 'c'),
      node('Transpose', 'c', 'q', { perm: [0, 2, 3, 1] }),
      node('Add', 'q e', 'u'),
      node('ReduceMean', 'u', 'g', { axes: [1, 2], keepdims: 0 }),
      node('MatMul', 'g d', 'y'),
    ],
    initializers: {
      b: one(0.5),
      pads: ints(0, 1, 0, 0, 0, 1, 2, 0),
      w: values(2, 3, 3, 3),
      e: values(2),
      d: values(2, 3),
    },
    layers: ['batchNorm', 'conv2d', 'select', 'conv2d', 'averagePool2d', 'flatten', 'linear'],
  },
  'float16 inside, float32 outside': {
    input: ['n', 2],
    nodes: [node('Cast', 'x', 'h', { to: 10 }), node('MatMul', 'h w', 'm'), node('Cast', 'm', 'y', { to: 1 })],
    // 1, 0.5, -2, 0.25
    initializers: { w: { dims: [2, 2], type: 10, data: [0x3c00, 0x3800, 0xc000, 0x3400] } },
    layers: ['linear'],
  },
  'weights of 8 bits with a scale per column': {
    input: ['n', 3],
    nodes: [node('DequantizeLinear', 'w s z', 'f', { axis: 1 }), node('MatMul', 'x f', 'y')],
    initializers: {
      w: { dims: [3, 2], type: 3, data: [-128, 127, 5, -6, 70, 0] },
      s: { dims: [2], data: [0.01, 0.02] },
      z: { dims: [2], type: 3, data: [3, -4] },
    },
    layers: ['linear'],
  },
  'bias as a vector, Unsqueeze to [channels, 1, 1]': {
    input: ['n', 2, 2, 2],
    nodes: [node('Unsqueeze', 'b axes', 'b3'), node('Add', 'x b3', 'y')],
    initializers: { b: values(2), axes: ints(1, 2) },
    layers: ['batchNorm'],
  },
  'weights times a constant': {
    input: ['n', 4],
    nodes: [node('Mul', 'w k', 'wk'), node('MatMul', 'x wk', 'y')],
    initializers: { w: values(4, 3), k: one(0.5) },
    layers: ['linear'],
  },
  'ZeroPad2d(2), AvgPool2d(2): windows of zeros only': {
    input: [1, 2, 4, 4],
    nodes: [node('Pad', 'x p', 'a'), node('AveragePool', 'a', 'y', { kernel_shape: [2, 2], strides: [2, 2] })],
    initializers: { p: ints(0, 0, 2, 2, 0, 0, 2, 3) },
    layers: ['conv2d'],
  },
  'Caffe2, MXNet, Chainer: residual addition as Sum, of three': {
    input: [1, 2, 4, 4],
    opset: 9,
    nodes: [
      node('AveragePool', 'x', 'r', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
      node('Sum', 'r x r', 'y'),
    ],
    layers: ['averagePool2d', 'add', 'add'],
  },
  'a quadratic with coefficients of its own': {
    input: [1, 2, 4, 4],
    nodes: [
      node('Mul', 'x x', 's'),
      node('Mul', 's a', 't'),
      node('Mul', 'x b', 'u'),
      node('Add', 't u', 'v'),
      node('Add', 'v c', 'y'),
    ],
    initializers: { a: scalars([], 0.25), b: scalars([], -0.5), c: scalars([], 3) },
    layers: ['quadratic'],
  },
  'a quadratic as a square that is moved, and a quadratic of it added': {
    input: [1, 2, 4, 4],
    nodes: [node('Mul', 'x x', 's'), node('Add', 's c', 'v'), node('Sum', 'v x s', 'y')],
    initializers: { c: scalars([1], 3) },
    layers: ['quadratic'],
  },
  'squares that are scaled channel by channel stay two layers': {
    input: [1, 2, 4, 4],
    nodes: [node('Mul', 'x x', 's'), node('Mul', 's a', 'y')],
    initializers: { a: scalars([2, 1, 1], 2, 3) },
    layers: ['square', 'batchNorm'],
  },
  'global mean as x.mean(3).mean(2)': {
    input: [1, 2, 4, 3],
    nodes: [
      node('ReduceMean', 'x', 'a', { axes: [3], keepdims: 0 }),
      node('ReduceMean', 'a', 'y', { axes: [2], keepdims: 0 }),
    ],
    layers: ['averagePool2d', 'flatten'],
  },
  'ceil_mode with a partial window': {
    input: [1, 2, 4, 4],
    nodes: [node('AveragePool', 'x', 'y', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 })],
    layers: ['averagePool2d'],
  },
  'pointwise Dense on every pixel (MatMul of [batch, rows, columns, channels])': {
    input: ['n', 3, 3, 2],
    nodes: [node('MatMul', 'x w', 'm'), node('Add', 'm b', 'a'), node('Flatten', 'a', 'y')],
    initializers: { w: values(2, 4), b: values(4) },
    layers: ['select', 'conv2d', 'select'],
  },
  'Keras ResNetV2: MaxPooling2D(1, strides=2) as shortcut': {
    input: [1, 2, 5, 5],
    nodes: [
      node('MaxPool', 'x', 's', { kernel_shape: [1, 1], strides: [2, 2] }),
      node('Conv', 'x w', 'c', { strides: [2, 2], pads: [1, 1, 1, 1] }),
      node('Add', 's c', 'y'),
    ],
    initializers: { w: values(2, 2, 3, 3) },
    layers: ['conv2d', 'select', 'add'],
  },
  'a crop by F.pad with negative pads': {
    input: [1, 2, 5, 5],
    nodes: [node('Pad', 'x p', 'c'), node('Conv', 'c w', 'y')],
    initializers: { p: ints(0, 0, -1, 0, 0, 0, 0, -2), w: values(2, 2, 2, 2) },
    layers: ['select', 'conv2d'],
  },
}

const imageFor = (shape: readonly number[]) => createTensor(shape, Float64Array.from({ length: sizeOf(shape) }, next))

describe('networks as exporters write them', () => {
  for (const [name, spec] of Object.entries(networks))
    it(name, async () => {
      const bytes = buildOnnx(spec)
      const model = parseOnnx(bytes)
      expect(model.nodes.map(({ layer }) => layer.kind)).toEqual(spec.layers)
      const images =
        typeof spec.input[0] === 'string'
          ? [0, 1].map(() => imageFor(model.input.shape))
          : [imageFor(model.input.shape)]
      const wanted = await runReference(bytes, ...images)
      const results = images.map((i) => model.forward(i))
      const got = results.flatMap((r) => [...r.data])
      expect(got).toHaveLength(wanted.length)
      for (const [i, v] of got.entries()) expect(v).toBeCloseTo(wanted[i]!, name.includes('float16') ? 2 : 4)
      const { shape } = model.input
      for (const layout of [
        createMultiplexedLayout(shape, { maxSlots: 512 }),
        createBatchLayout(shape, { slots: 2 }),
      ]) {
        const encrypted = await runLowered(model, images[0]!, layout)
        expect(encrypted.shape).toEqual(results[0]!.shape)
        for (const [i, v] of encrypted.data.entries()) expect(v).toBeCloseTo(results[0]!.data[i]!, 8)
      }
    })

  it.each([
    ['Clip from 0', node('Clip', 'x zero', 'y'), 13],
    ['Clip of operator set 6', node('Clip', 'x', 'y', { min: { float: 0 }, max: { float: 3.4028234663852886e38 } }), 9],
    ['Max with 0', node('Max', 'x zero', 'y'), 13],
    ['Max with 0 first', node('Max', 'zero x', 'y'), 8],
  ])('ReLU as %s', async (_, relu, opset) => {
    const bytes = buildOnnx({ input: [1, 2, 3, 3], nodes: [relu], initializers: { zero: one(0) }, opset })
    const model = parseOnnx(bytes)
    expect(model.nodes.map(({ layer }) => 'function' in layer && layer.function)).toEqual(['relu'])
    const image = imageFor([2, 3, 3])
    expect([...model.forward(image).data].map(Math.fround)).toEqual([...(await runReference(bytes, image))])
  })

  it.each([
    ['a constant of 2^63 - 1', ints(MOST)],
    ['a constant of uint8', { dims: [1], type: 2 as const, data: [1] }],
  ])('%s that nothing reads', (_, unused) => {
    const bytes = buildOnnx({ input: ['n', 3], nodes: [node('Relu', 'x', 'y')], initializers: { unused } })
    expect(parseOnnx(bytes).nodes).toHaveLength(1)
  })

  it('branches that nothing reads, of operators that are not taken', () => {
    const nodes = [node('Softmax', 'x', 'p'), node('Whatever', 'p', 'q'), node('Relu', 'x', 'y')]
    expect(parseOnnx(buildOnnx({ input: ['n', 3], nodes })).nodes).toHaveLength(1)
  })

  it('GELU after a normalisation, which both its factors read', async () => {
    const bytes = buildOnnx({
      input: ['n', 3],
      nodes: [
        node('Mul', 'x m', 'a'),
        node('Add', 'a s', 'b'),
        node('Div', 'b r', 'd'),
        node('Erf', 'd', 'e'),
        node('Add', 'e one', 'g'),
        node('Mul', 'b g', 'h'),
        node('Mul', 'h half', 'y'),
      ],
      initializers: { m: values(3), s: values(3), r: one(Math.SQRT2), one: one(1), half: one(0.5) },
    })
    const model = parseOnnx(bytes)
    expect(model.nodes.map(({ layer }) => layer.kind)).toEqual(['batchNorm', 'activation'])
    const image = imageFor([3])
    const wanted = await runReference(bytes, image)
    for (const [i, v] of model.forward(image).data.entries()) expect(v).toBeCloseTo(wanted[i]!, 5)
  })
})
