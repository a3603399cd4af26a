/** An operator is read by the rules of its own operator set, and what a set does not have is refused, never ignored. */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { createTensor } from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import { parseOnnx } from '../index.ts'
import { buildOnnx, type NodeSpec, type OnnxSpec, runReference, type TensorSpec } from '../testing/build-onnx.ts'

const ints = (...data: number[]): TensorSpec => ({ dims: [data.length], data, type: 7 })
const vector = (...data: number[]): TensorSpec => ({ dims: [data.length], data })
const one = (value: number): TensorSpec => ({ dims: [], data: [value] })
const norm = { s: vector(1, 1), b: vector(0, 0), m: vector(5, -5), v: vector(1, 4) }
const build = (
  node: NodeSpec,
  opset: number,
  initializers: OnnxSpec['initializers'] = norm,
  more: Partial<OnnxSpec> = {},
) => buildOnnx({ input: ['n', 2, 2, 2], nodes: [node], initializers, opset, ...more })
const op = (type: string, inputs: string, attributes: NodeSpec['attributes'] = {}, more: string[] = []): NodeSpec => ({
  op: type,
  inputs: inputs.split(' ').map((i) => (i === '-' ? '' : i)),
  output: 'y',
  attributes,
  more,
})
const NORM = 'x s b m v'

describe('batch normalisation', () => {
  it.each([7, 8, 9, 12, 13])('of operator set %i with five outputs is in training mode: refused', (opset) => {
    const bytes = build(op('BatchNormalization', NORM, {}, ['om', 'ov', 'sm', 'sv']), opset)
    expect(() => parseOnnx(bytes)).toThrow(UnsupportedError)
    expect(() => parseOnnx(bytes)).toThrow(/"n0" \(BatchNormalization\): it is in training mode \(5 outputs\)/)
  })
  it('with names for none of its extra outputs is in training mode all the same', () => {
    const bytes = build(op('BatchNormalization', NORM, {}, ['', '', '', '']), 9)
    expect(() => parseOnnx(bytes)).toThrow(/training mode/)
  })
  it('of operator set 14 says so by an attribute', () => {
    expect(() => parseOnnx(build(op('BatchNormalization', NORM, { training_mode: 1 }, ['om', 'ov']), 14))).toThrow(
      /training mode/,
    )
    expect(() => parseOnnx(build(op('BatchNormalization', NORM, { training_mode: 1 }), 13))).toThrow(
      /"training_mode" is not supported: BatchNormalization of operator set 13/,
    )
    expect(() => parseOnnx(build(op('BatchNormalization', NORM, {}, ['a', 'b1', 'c', 'd']), 14))).toThrow(FormatError)
  })
  it.each([7, 9, 13, 14, 15])('of operator set %i in inference gives the right value', async (opset) => {
    const bytes = build(op('BatchNormalization', NORM), opset)
    const image = createTensor([2, 2, 2], Float64Array.of(1, -2, 3, 0.5, 4, 7, -1, 2))
    const wanted = await runReference(bytes, image)
    for (const [i, v] of parseOnnx(bytes).forward(image).data.entries()) expect(v).toBeCloseTo(wanted[i]!, 5)
  })
  it('of operator set 7 may have statistics of every pixel: refused', () => {
    expect(() => parseOnnx(build(op('BatchNormalization', NORM, { spatial: 0 }), 7))).toThrow(/every pixel/)
    expect(() => parseOnnx(build(op('BatchNormalization', NORM, { spatial: 0 }), 9))).toThrow(/"spatial" is not supp/)
  })
})

describe('what an operator set does not have', () => {
  const cases: [string, NodeSpec, number, OnnxSpec['initializers'], RegExp][] = [
    [
      'Pad by attributes in set 11',
      op('Pad', 'x p', { pads: [0, 0, 1, 1, 0, 0, 1, 1] }),
      11,
      { p: ints(0) },
      /"pads" is not/,
    ],
    [
      'Slice by attributes in set 10',
      op('Slice', 'x s e', { starts: [0] }),
      10,
      { s: ints(0), e: ints(1) },
      /"starts" is not/,
    ],
    ['ceil_mode in set 9', op('AveragePool', 'x', { kernel_shape: [2, 2], ceil_mode: 1 }), 9, {}, /"ceil_mode" is not/],
    ['axes of ReduceMean by attribute in 18', op('ReduceMean', 'x', { axes: [2, 3] }), 18, {}, /"axes" is not/],
    ['Clip by attributes in set 11', op('Clip', 'x', { min: { float: 0 } }), 11, {}, /"min" is not/],
    ['Gelu in set 13', op('Gelu', 'x'), 13, {}, /operator set 13, which the file names, has no Gelu.*set 20/],
    ['allowzero in set 13', op('Reshape', 'x s', { allowzero: 1 }), 13, { s: ints(0, -1) }, /"allowzero" is not/],
    [
      'dilations of a pool in set 13',
      op('AveragePool', 'x', { kernel_shape: [2, 2], dilations: [1, 1] }),
      13,
      {},
      /"dilations"/,
    ],
    ['operator set 6', op('Relu', 'x'), 6, {}, /operator set 6 is not supported: export with one from 7/],
    ['operator set 27', op('Relu', 'x'), 27, {}, /operator set 27 is not supported/],
  ]
  it.each(cases)('%s is refused by name', (_, node, opset, initializers, message) => {
    const bytes = build(node, opset, initializers)
    expect(() => parseOnnx(bytes)).toThrow(message)
    expect(() => parseOnnx(bytes)).toThrow(UnsupportedError)
  })
  const broken: [string, NodeSpec, number, OnnxSpec['initializers'], RegExp][] = [
    [
      'axes of Squeeze by input in set 12',
      op('Squeeze', 'x a'),
      12,
      { a: ints(2) },
      /2 inputs, Squeeze of operator set 12 takes 1/,
    ],
    ['pads by input in set 10', op('Pad', 'x p'), 10, { p: ints(0) }, /2 inputs, Pad of operator set 10 takes 1/],
    ['Gemm without C in set 10', op('Gemm', 'x w'), 10, { w: one(1) }, /2 inputs, Gemm of operator set 10 takes 3/],
    ['an output that Relu has not', op('Relu', 'x', {}, ['z']), 13, {}, /2 outputs, Relu of operator set 13 has 1/],
    ['a Conv without weights', op('Conv', 'x'), 13, {}, /1 inputs, Conv/],
    ['weights that are left out', op('Conv', 'x - b'), 13, { b: vector(1) }, /no input 1, which it needs/],
    ['a negative axis of Flatten in set 9', op('Flatten', 'x', { axis: -3 }), 9, {}, /axis -3/],
  ]
  it.each(broken)('%s is broken', (_, node, opset, initializers, message) => {
    const bytes = build(node, opset, initializers)
    expect(() => parseOnnx(bytes)).toThrow(message)
    expect(() => parseOnnx(bytes)).toThrow(FormatError)
  })
})

describe('outputs beside the first', () => {
  it('of Dropout may stand there unread, and are refused when read', () => {
    const drop = { ...op('Dropout', 'x', {}, ['mask']), output: 'd' }
    const read = (input: string) =>
      buildOnnx({
        input: ['n', 3],
        nodes: [drop, op('Cast', input, { to: 1 })],
        opset: 10,
      })
    expect(() => parseOnnx(read('d'))).toThrow(/nothing to run/)
    expect(() => parseOnnx(read('mask'))).toThrow(
      /"n1" \(Cast\): it reads "mask", an output that its node is not read with/,
    )
  })
})

describe('a valid file that is not taken is unsupported, and the message is true', () => {
  const cases: [string, NodeSpec[], OnnxSpec['initializers'], RegExp, Partial<OnnxSpec>?][] = [
    [
      'sums of different shapes',
      [{ ...op('GlobalAveragePool', 'x'), output: 'g' }, op('Add', 'x g')],
      {},
      /"n1" \(Add\): its computed inputs have shapes \[batch,2,2,2\] and \[batch,2,1,1\]/,
    ],
    [
      'pads as wide as the window of a pool of its own',
      [op('AveragePool', 'x', { kernel_shape: [2, 2], pads: [2, 0, 0, 0] })],
      {},
      /"n0".*pads \[2,0,0,0\] are as wide as its window/,
    ],
    ['an infinite bias', [op('Add', 'x c')], { c: one(Number.POSITIVE_INFINITY) }, /holds Infinity/],
    ['a variance below -epsilon', [op('BatchNormalization', NORM)], { ...norm, v: vector(-1, 1) }, /finite factor/],
    [
      'constants that widen a value',
      [{ ...op('GlobalAveragePool', 'x'), output: 'g' }, op('Add', 'g c')],
      { c: { dims: [2, 3, 3], data: new Array(18).fill(1).map((_, i) => i) } },
      /widens a value of shape \[batch,2,1,1\]/,
    ],
    [
      'a string constant that is read',
      [{ op: 'Constant', inputs: [], output: 'c', attributes: { value_string: 'a' } }, op('Add', 'x c')],
      {},
      /"n0" \(Constant\): it holds neither numbers/,
    ],
    [
      'integers that are computed with',
      [op('Add', 'x c')],
      { c: { dims: [1], data: [1], type: 7 } },
      /whole numbers that depend on the image.*cast to float/,
      { elementType: 7 },
    ],
    ['a cast that rounds', [op('Cast', 'x', { to: 7 })], {}, /casts a computed value to int64, which rounds/],
    ['a slice of the batch', [op('Slice', 'x s e a')], { s: ints(0), e: ints(1), a: ints(0) }, /slices the batch/],
    [
      'a batch that is not the first',
      [{ ...op('Transpose', 'x', { perm: [1, 0, 2, 3] }), output: 't' }, op('Conv', 't w')],
      { w: { dims: [1, 2, 1, 1], data: [1, 1] } },
      /input has shape \[2,batch,2,2\]/,
    ],
    [
      'two computed factors',
      [{ ...op('Flatten', 'x'), output: 'f' }, op('MatMul', 'f f')],
      {},
      /both its factors are computed/,
    ],
    [
      'arithmetic with the open batch',
      [{ ...op('Size', 'x'), output: 'n' }, { ...op('Cast', 'n', { to: 1 }), output: 'c' }, op('Mul', 'x c')],
      {},
      /batch size, which the file leaves open/,
    ],
    [
      'arithmetic beyond 2^53',
      [{ ...op('Add', 'big big'), output: 'c' }, op('Reshape', 'x c')],
      { big: { dims: [1], data: [2n ** 60n], type: 7 } },
      /integer beyond 2\^53/,
    ],
    ['an output that is a constant', [op('Neg', 's')], norm, /does not depend on the input/],
    [
      'constants without end',
      [{ ...op('ConstantOfShape', 'big'), output: 'c' }, op('Add', 'x c')],
      { big: ints(2 ** 20, 2 ** 20) },
      /"n0".*too large/,
    ],
    [
      'Tile without end',
      [{ ...op('Tile', 's big'), output: 'c' }, op('Add', 'x c')],
      { ...norm, big: ints(2 ** 40) },
      /"n0".*too large/,
    ],
  ]
  it.each(cases)('%s', (_, nodes, initializers, message, more = {}) => {
    const bytes = buildOnnx({ input: ['n', 2, 2, 2], nodes, initializers: initializers ?? {}, ...more })
    expect(() => parseOnnx(bytes)).toThrow(message)
    expect(() => parseOnnx(bytes)).toThrow(UnsupportedError)
  })
  it('whole numbers of an image may be cast to float first', async () => {
    const nodes = [{ ...op('Cast', 'x', { to: 1 }), output: 'f' }, op('Mul', 'f c')]
    const bytes = buildOnnx({ input: ['n', 2, 2, 2], nodes, initializers: { c: one(1 / 255) }, elementType: 2 })
    const image = createTensor([2, 2, 2], Float64Array.of(0, 255, 51, 102, 0, 0, 0, 0))
    expect(parseOnnx(bytes).forward(image).data[2]).toBeCloseTo(0.2, 6)
  })
})
