import { FormatError, HeMlError, UnsupportedError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseOnnx } from '../index.ts'
import { buildOnnx, type NodeSpec, type OnnxSpec, random, type TensorSpec } from '../testing/build-onnx.ts'

const next = random(11)
const values = (dims: readonly number[]): TensorSpec => ({
  dims,
  data: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, next),
})
const ints = (...data: number[]): TensorSpec => ({ dims: [data.length], data, type: 7 })
const build = (nodes: NodeSpec[], initializers: OnnxSpec['initializers'] = {}, more: Partial<OnnxSpec> = {}) =>
  buildOnnx({ input: [1, 2, 6, 6], nodes, initializers, ...more })
const op = (type: string, inputs: string[] = ['x'], attributes: NodeSpec['attributes'] = {}): NodeSpec => ({
  op: type,
  inputs,
  output: 'y',
  attributes,
})

describe('what is not supported is named, with what could replace it', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    [
      'MaxPool',
      build([op('MaxPool', ['x'], { kernel_shape: [2, 2], pads: [0, 0, 1, 1] })]),
      /node "n0" \(MaxPool\).*pads \[0,0,1,1\] stand for values below all others; instead, put a Relu right before it/,
    ],
    [
      'MaxPool with places',
      build([{ ...op('MaxPool', ['x'], { kernel_shape: [2, 2] }), more: ['i'] }]),
      /where the maxima are/,
    ],
    ['MaxPool with holes', build([op('MaxPool', ['x'], { kernel_shape: [2, 2], dilations: [2, 1] })]), /dilations/],
    [
      'MaxPool with a partial window',
      build([op('MaxPool', ['x'], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 })]),
      /ceil_mode adds a partial window/,
    ],
    ['Concat of rows', build([op('Concat', ['x', 'x'], { axis: 2 })]), /along axis 2.*join channels or features/],
    ['Concat of batches', build([op('Concat', ['x', 'x'], { axis: 0 })]), /along axis 0/],
    [
      'Concat with a constant',
      build([op('Concat', ['x', 'c'], { axis: 1 })], { c: values([1, 2, 6, 6]) }),
      /input 1 is a constant/,
    ],
    ['slopes per pixel', build([op('PRelu', ['x', 'c'])], { c: values([2, 6, 6]) }), /one value per channel/],
    ['slopes that are computed', build([op('PRelu', ['x', 'x'])]), /its slope \("x"\) is computed from the image/],
    [
      'Clip to one value',
      build([op('Clip', ['x', 'a', 'a'])], { a: { dims: [], data: [1] } }),
      /clips to \[1, 1\], which leaves one/,
    ],
    ['HardSigmoid that falls', build([op('HardSigmoid', ['x'], { alpha: { float: -1 } })]), /alpha must be positive/],
    ['Softmax', build([op('Softmax')]), /drop it/],
    ['an unknown operator', build([op('Frobnicate')]), /build the network from Conv, Gemm/],
    ['another domain', build([{ ...op('Relu'), domain: 'com.acme' }]), /com\.acme\.Relu/],
    ['an attribute that might matter', build([op('Relu', ['x'], { slope: 1 })]), /"slope" is not supported/],
    [
      'a product of two values',
      build([{ ...op('Relu'), output: 'r' }, op('Mul', ['x', 'r'])]),
      /two different computed/,
    ],
    ['a cube', build([op('Pow', ['x', 'e'])], { e: { dims: [], data: [3] } }), /exponent is 3/],
    ['Erf alone', build([op('Erf')]), /inside GELU/],
    [
      'a mean over the batch',
      build([op('ReduceMean', ['x'], { axes: [0] })], {}, { input: ['n', 2, 6, 6] }),
      /reduces the batch dimension of \[batch,2,6,6\]/,
    ],
    [
      'a pad that is no zero',
      build([op('Pad', ['x', 'p', 'v'])], { p: ints(0, 0, 1, 1, 0, 0, 1, 1), v: values([]) }),
      /pad with zeros/,
    ],
    [
      'reflection',
      build([op('Pad', ['x', 'p'], { mode: 'reflect' })], { p: ints(0, 0, 1, 1, 0, 0, 1, 1) }),
      /"reflect"/,
    ],
    [
      'a reshape over the batch',
      build([op('Reshape', ['x', 's'])], { s: ints(2, 36) }, { input: ['n', 2, 6, 6] }),
      /batch dimension/,
    ],
    ['a constant per position', build([op('Add', ['x', 'c'])], { c: values([2, 6, 6]) }), /one value per channel/],
    [
      'weights that are computed',
      build([{ ...op('Relu'), output: 'r' }, op('Conv', ['x', 'r'])]),
      /must be a constant/,
    ],
    ['Gemm of images', build([op('Gemm', ['x', 'w', 'b'])], { w: values([6, 3]), b: values([3]) }), /Flatten/],
    [
      'dropout in training',
      build([op('Dropout', ['x', 'r', 't'])], { r: values([]), t: { dims: [], data: [1] } }),
      /evaluation mode/,
    ],
    ['division by zero', build([op('Div', ['x', 'z'])], { z: { dims: [], data: [0] } }), /by zero/],
    [
      'weights that are not numbers',
      build([op('Conv', ['x', 'w'])], { w: { dims: [1, 2, 1, 1], data: [Number.NaN, 1] } }),
      /n0.*weights\[0\] is NaN/,
    ],
    ['operator set 3', build([op('Relu')], {}, { opset: 3 }), /operator set 3/],
    ['an input of another rank', build([op('Relu')], {}, { input: [1, 2, 3] }), /\[batch, features\]/],
    ['an input too large', build([op('Relu')], {}, { input: [1, 1e5, 1e5, 1e5] }), /too large/],
    ['padding without end', build([op('Pad', ['x', 'p'])], { p: ints(0, 0, 1e9, 1e9, 0, 0, 1, 1) }), /too large/],
  ]
  for (const [name, bytes, message] of cases)
    it(name, () => {
      expect(() => parseOnnx(bytes)).toThrow(message)
      expect(() => parseOnnx(bytes)).toThrow(UnsupportedError)
    })
})

describe('what is broken is a FormatError that says where', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['no bytes', new Uint8Array(0), /no graph/],
    ['other bytes', new TextEncoder().encode('not a model at all'), /not a well-formed model|no graph/],
    ['a missing value', build([op('Relu', ['z'])]), /reads "z", which is neither/],
    ['a missing initialiser', build([op('Conv', ['x', 'w'])]), /reads "w", which is neither/],
    [
      'a cycle',
      build([
        { ...op('Relu', ['b']), output: 'a' },
        { ...op('Relu', ['a']), output: 'b' },
      ]),
      /reads "b"/,
    ],
    ['a value written twice', build([op('Relu'), op('Relu')]), /exists already/],
    ['an output from nowhere', build([op('Relu')], {}, { output: 'z' }), /"z" is computed by no node/],
    ['too few weights', build([op('Conv', ['x', 'w'])], { w: { dims: [9, 9, 9, 9], data: [1] } }), /needs 26244 bytes/],
    ['huge weights', build([op('Conv', ['x', 'w'])], { w: { dims: [2 ** 40, 2 ** 40], data: [] } }), /shape \[/],
    ['wrong channels', build([op('Conv', ['x', 'w'])], { w: values([2, 3, 3, 3]) }), /its input has 2 channels/],
    ['weights of another rank', build([op('Conv', ['x', 'w'])], { w: values([2, 2, 3]) }), /expected four dimensions/],
    ['a kernel that does not fit', build([op('Conv', ['x', 'w'])], { w: values([2, 2, 9, 9]) }), /does not fit/],
    [
      'an attribute of another type',
      build([op('Conv', ['x', 'w'], { pads: 'all' })], { w: values([2, 2, 3, 3]) }),
      /type ints/,
    ],
  ]
  for (const [name, bytes, message] of cases)
    it(name, () => {
      expect(() => parseOnnx(bytes)).toThrow(message)
      expect(() => parseOnnx(bytes)).toThrow(FormatError)
    })

  it('groups nested without end', () => {
    const bytes = new Uint8Array(200_000).fill(((100 << 3) % 256) | 3)
    expect(() => parseOnnx(bytes)).toThrow(FormatError)
  })
})

describe('hostile bytes', () => {
  const full = buildOnnx({
    input: ['batch', 2, 6, 6],
    nodes: [
      { op: 'Pad', inputs: ['x', 'p'], output: 'a' },
      { op: 'Conv', inputs: ['a', 'w', 'b'], output: 'c', attributes: { strides: [1, 1], group: 1 } },
      { op: 'BatchNormalization', inputs: ['c', 'b', 'b', 'b', 'v'], output: 'd' },
      { op: 'Sigmoid', inputs: ['d'], output: 'e' },
      { op: 'Mul', inputs: ['d', 'e'], output: 'f' },
      { op: 'AveragePool', inputs: ['f'], output: 'g', attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      { op: 'Constant', inputs: [], output: 's', attributes: { value: { tensor: ints(0, -1) } } },
      { op: 'Reshape', inputs: ['g', 's'], output: 'h' },
      { op: 'Gemm', inputs: ['h', 'm', 'n'], output: 'y', attributes: { transB: 1, alpha: { float: 0.5 } } },
    ],
    initializers: {
      p: ints(0, 0, 1, 1, 0, 0, 1, 1),
      w: values([3, 2, 3, 3]),
      b: values([3]),
      v: { dims: [3], data: [1, 2, 3] },
      m: { ...values([4, 27]), typed: true },
      n: values([4]),
    },
  })

  it('is a good model before it is broken', () => {
    expect(parseOnnx(full).nodes.map(({ layer }) => layer.kind)).toEqual([
      'conv2d',
      'activation',
      'averagePool2d',
      'flatten',
      'linear',
    ])
  })

  it('ends in typed errors only (6,000 cases)', () => {
    let refused = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 5 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 4 }),
        (flips, cut) => {
          const bytes = full.slice(0, cut === null ? full.length : Math.floor(cut * full.length))
          for (const [at, value] of flips) if (bytes.length > 0) bytes[at % bytes.length] = value
          try {
            parseOnnx(bytes)
          } catch (error) {
            refused++
            if (!(error instanceof HeMlError)) throw error
          }
        },
      ),
      { numRuns: 6000 },
    )
    expect(refused).toBeGreaterThan(500)
  })
})
