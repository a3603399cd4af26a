import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createTensor, sizeOf } from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import { importOnnx, parseOnnx } from '../index.ts'
import {
  buildOnnx,
  type NodeSpec,
  type OnnxSpec,
  random,
  runReference,
  type TensorSpec,
} from '../testing/build-onnx.ts'

const next = random(7)
const values = (dims: readonly number[], typed = false): TensorSpec => ({
  dims,
  data: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, next),
  typed,
})
const ints = (...data: number[]): TensorSpec => ({ dims: [data.length], data, type: 7 })
const one = (value: number): TensorSpec => ({ dims: [], data: [value] })

/** Largest difference relative to the largest value, over a few inputs. */
async function disagreement(bytes: Uint8Array, inputs = 3, inputShape?: readonly number[]): Promise<number> {
  const model = parseOnnx(bytes, inputShape ? { inputShape } : {})
  let worst = 0
  for (let i = 0; i < inputs; i++) {
    const image = createTensor(model.input.shape, Float64Array.from({ length: sizeOf(model.input.shape) }, next))
    const wanted = await runReference(bytes, image)
    const got = model.forward(image)
    expect(got.data).toHaveLength(wanted.length)
    const size = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 1)
    worst = Math.max(worst, ...got.data.map((v, k) => Math.abs(v - wanted[k]!) / size))
  }
  return worst
}

const kinds = (bytes: Uint8Array) => parseOnnx(bytes).nodes.map(({ layer }) => layer.kind)
const node = (op: string, inputs: string[], output: string, attributes?: NodeSpec['attributes']): NodeSpec => ({
  op,
  inputs,
  output,
  ...(attributes && { attributes }),
})
const image = (nodes: NodeSpec[], initializers: OnnxSpec['initializers'] = {}, opset = 13): Uint8Array =>
  buildOnnx({ input: ['batch', 4, 9, 8], nodes, initializers, opset })
const vector = (nodes: NodeSpec[], initializers: OnnxSpec['initializers'] = {}, opset = 13): Uint8Array =>
  buildOnnx({ input: [1, 6], nodes, initializers, opset })
const norm = { s: values([4]), b: values([4]), m: values([4]), v: { dims: [4], data: [0.5, 1, 2, 0.1] } }

const models: [string, Uint8Array, string[]][] = [
  ['Conv', image([node('Conv', ['x', 'w'], 'y')], { w: values([3, 4, 3, 3]) }), ['conv2d']],
  [
    'Conv with everything',
    image(
      [
        node('Conv', ['x', 'w', 'b'], 'y', {
          pads: [2, 1, 0, 3],
          strides: [2, 1],
          dilations: [1, 2],
          group: 2,
          kernel_shape: [3, 2],
        }),
      ],
      { w: values([6, 2, 3, 2], true), b: values([6], true) },
    ),
    ['conv2d'],
  ],
  ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map((mode): [string, Uint8Array, string[]] => [
    `Conv ${mode}`,
    image([node('Conv', ['x', 'w'], 'y', { auto_pad: mode, strides: [2, 2] })], { w: values([2, 4, 4, 3]) }),
    ['conv2d'],
  ]),
  [
    'Conv + BatchNormalization + Relu',
    image(
      [
        node('Conv', ['x', 'w'], 'c'),
        node('BatchNormalization', ['c', 's', 'b', 'm', 'v'], 'n', { epsilon: { float: 1e-3 } }),
        node('Relu', ['n'], 'y'),
      ],
      { w: values([4, 4, 3, 3]), ...norm },
    ),
    ['conv2d', 'activation'],
  ],
  [
    'BatchNormalization alone, and one that may not be folded',
    image(
      [
        node('BatchNormalization', ['x', 's', 'b', 'm', 'v'], 'n'),
        node('Conv', ['n', 'w'], 'c'),
        node('BatchNormalization', ['c', 's', 'b', 'm', 'v'], 'd'),
        node('Add', ['c', 'd'], 'y'),
      ],
      { w: values([4, 4, 1, 1]), ...norm },
    ),
    ['batchNorm', 'conv2d', 'batchNorm', 'add'],
  ],
  [
    'AveragePool with and without counted padding',
    image([
      node('AveragePool', ['x'], 'p', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
      node('AveragePool', ['p'], 'y', { kernel_shape: [2, 2], pads: [1, 0, 0, 1], strides: [2, 2] }),
    ]),
    ['averagePool2d', 'averagePool2d'],
  ],
  ['GlobalAveragePool', image([node('GlobalAveragePool', ['x'], 'y')]), ['averagePool2d']],
  [
    'ReduceMean',
    image([node('ReduceMean', ['x'], 'y', { axes: [-1, -2], keepdims: 0 })]),
    ['averagePool2d', 'flatten'],
  ],
  [
    'ReduceMean of operator set 18',
    image([node('ReduceMean', ['x', 'axes'], 'y')], { axes: ints(2, 3) }, 18),
    ['averagePool2d'],
  ],
  [
    'Pad into Conv and AveragePool',
    image(
      [
        node('Pad', ['x', 'p'], 'a'),
        node('Conv', ['a', 'w'], 'b'),
        node('Pad', ['b', 'p', 'zero'], 'c'),
        node('AveragePool', ['c'], 'y', { kernel_shape: [3, 3] }),
      ],
      { p: ints(0, 0, 1, 2, 0, 0, 0, 1), w: values([4, 4, 3, 3]), zero: one(0) },
    ),
    ['conv2d', 'averagePool2d'],
  ],
  ['Pad alone', image([node('Pad', ['x', 'p'], 'y')], { p: ints(0, 0, 1, 2, 0, 0, 0, 1) }), ['conv2d']],
  [
    'residual block',
    image(
      [
        node('Conv', ['x', 'w'], 'c', { pads: [1, 1, 1, 1] }),
        node('Identity', ['x'], 'i'),
        node('Add', ['c', 'i'], 's'),
        node('Relu', ['s'], 'r'),
        node('Dropout', ['r'], 'd'),
        node('Flatten', ['d'], 'f'),
        node('MatMul', ['f', 'm'], 'p'),
        node('Add', ['b', 'p'], 'y'),
      ],
      { w: values([4, 4, 3, 3]), m: values([288, 5]), b: values([5]) },
    ),
    ['conv2d', 'add', 'activation', 'flatten', 'linear'],
  ],
  [
    'Gemm, both orders, alpha and beta',
    vector(
      [
        node('Gemm', ['x', 'w', 'b'], 'h', { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
        node('Tanh', ['h'], 't'),
        node('Gemm', ['t', 'u', 'c'], 'y'),
      ],
      { w: values([7, 6]), b: values([7]), u: values([7, 3]), c: values([1, 3]) },
    ),
    ['linear', 'activation', 'linear'],
  ],
  [
    'squares, three ways of writing them',
    vector([node('Mul', ['x', 'x'], 'a'), node('Pow', ['a', 'two'], 'b'), node('Pow', ['b', 'one'], 'y')], {
      two: one(2),
      one: one(1),
    }),
    ['square', 'square'],
  ],
  ['SiLU', vector([node('Sigmoid', ['x'], 's'), node('Mul', ['s', 'x'], 'y')]), ['activation']],
  ['Sigmoid', vector([node('Sigmoid', ['x'], 'y')]), ['activation']],
  [
    'GELU as PyTorch writes it',
    vector(
      [
        node('Div', ['x', 'r'], 'd'),
        node('Erf', ['d'], 'e'),
        node('Add', ['e', 'one'], 'a'),
        node('Mul', ['x', 'a'], 'm'),
        node('Mul', ['m', 'half'], 'y'),
      ],
      { r: one(Math.SQRT2), one: one(1), half: one(0.5) },
    ),
    ['activation'],
  ],
  [
    'GELU, factor first, and Constant nodes',
    vector([
      node('Constant', [], 'half', { value: { tensor: one(0.5) } }),
      node('Constant', [], 'one', { value_float: { float: 1 } }),
      node('Constant', [], 'r', { value_float: { float: Math.SQRT1_2 } }),
      node('Mul', ['half', 'x'], 'h'),
      node('Mul', ['x', 'r'], 'd'),
      node('Erf', ['d'], 'e'),
      node('Add', ['one', 'e'], 'a'),
      node('Mul', ['h', 'a'], 'y'),
    ]),
    ['activation'],
  ],
  [
    'affine arithmetic',
    image(
      [
        node('Sub', ['x', 'mean'], 'a'),
        node('Div', ['a', 'std'], 'b'),
        node('Neg', ['b'], 'c'),
        node('Sub', ['one', 'c'], 'd'),
        node('Relu', ['d'], 'e'),
        node('Sub', ['e', 'd'], 'y'),
      ],
      { mean: values([1, 4, 1, 1]), std: { dims: [4, 1, 1], data: [1, 2, 0.5, 4] }, one: one(1) },
    ),
    ['batchNorm', 'activation', 'batchNorm', 'add'],
  ],
  [
    'Reshape, Squeeze',
    image(
      [
        node('Reshape', ['x', 's'], 'a'),
        node('GlobalAveragePool', ['a'], 'b'),
        node('Squeeze', ['b', 'axes'], 'c'),
        node('Reshape', ['c', 't'], 'y'),
      ],
      { s: ints(0, 8, -1, 4), axes: ints(2, -1), t: ints(-1, 8) },
    ),
    ['reshape', 'averagePool2d', 'flatten'],
  ],
]

describe('parseOnnx agrees with onnxruntime to 1e-5', () => {
  for (const [name, bytes, layers] of models)
    it(name, async () => {
      expect(kinds(bytes)).toEqual(layers)
      expect(await disagreement(bytes)).toBeLessThan(1e-5)
    })

  it('an input whose sizes are open', async () => {
    const bytes = buildOnnx({ input: ['n', 3, 'h', 'w'], nodes: [node('Relu', ['x'], 'y')] })
    expect(() => parseOnnx(bytes)).toThrow(/give inputShape/)
    expect(() => parseOnnx(bytes, { inputShape: [4, 5, 5] })).toThrow(/does not fit/)
    expect(await disagreement(bytes, 1, [3, 5, 6])).toBeLessThan(1e-6)
  })
})

const shared = process.env.HE_ML_SHARED ?? resolve(import.meta.dirname, '../../../../../shared')
const folders = [join(shared, 'models'), resolve(import.meta.dirname, '../../../../examples/lenet5/models')]
describe('trained models agree with onnxruntime to 1e-5', () => {
  for (const folder of folders) {
    const files = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith('.onnx')) : []
    if (files.length === 0) {
      console.warn(`model-import: no models in ${folder}, their tests are skipped`)
      it.skip(`no models in ${folder}`, () => undefined)
    }
    for (const file of files)
      it(file, async () => {
        const bytes = new Uint8Array(readFileSync(join(folder, file)))
        expect(await disagreement(bytes, bytes.length > 500_000 ? 1 : 3)).toBeLessThan(1e-5)
        const model = await importOnnx(join(folder, file))
        expect(model.input.shape).toHaveLength(3)
        expect(model.nodes.every(({ layer }) => layer.kind !== 'batchNorm')).toBe(true)
      })
  }
})
