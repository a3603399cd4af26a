import { FormatError, InvalidArgumentError, sha256 } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeSafetensors } from '../safetensors/safetensors.ts'
import { checkNetwork } from './check.ts'
import { encodeSpikingModel, parseSpikingModel, type SpikingModelFiles, type SpikingTensor } from './model-file.ts'

const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const
const surrogate = { kind: 'rectangle', width: 1 } as const
const network = checkNetwork({
  name: 'net',
  inputShape: [1, 3, 3],
  timeSteps: 2,
  inputGrid: { step: 0.5, count: 8 },
  layers: [
    { kind: 'conv2d', name: 'c', outChannels: 2, kernel: [2, 2] },
    { kind: 'neuron', name: 's', neuron, surrogate, grid: { step: 0.25, count: 64 }, rangePenalty: 0.1 },
    { kind: 'flatten', name: 'flat' },
    { kind: 'linear', name: 'fc', outFeatures: 2, bias: false },
  ],
})
const values = (...shape: number[]): SpikingTensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
})
const tensors = new Map([
  ['c.weight', values(2, 1, 2, 2)],
  ['c.bias', values(2)],
  ['fc.weight', values(2, 8)],
])
const files = encodeSpikingModel({ network, tensors, about: { data: 'none', accuracy: 0.5 } })

/** Other weights that the description vouches for. */
function signed(weights: Uint8Array): SpikingModelFiles {
  const json = JSON.parse(files.description)
  const sha = Buffer.from(sha256(weights)).toString('hex')
  return { weights, description: JSON.stringify({ ...json, weights: { bytes: weights.length, sha256: sha } }) }
}
const withTensors = (change: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array | Float64Array }>) =>
  signed(encodeSafetensors({ tensors: new Map([...tensors, ...change]) }))

describe('a spiking model in files', () => {
  it('comes back as it was, without the penalties of training', () => {
    const read = parseSpikingModel(files)
    expect(read.about).toEqual({ data: 'none', accuracy: 0.5 })
    expect(Object.fromEntries(read.tensors)).toEqual(Object.fromEntries(tensors))
    expect(files.description).not.toContain('rangePenalty')
    expect(read.network.inputGrid).toEqual({ step: 0.5, count: 8 })
    expect(read.network.layers[1]).toEqual({ ...network.layers[1], rangePenalty: 0 })
    expect(encodeSpikingModel(read)).toEqual(files)
  })

  it('is not written with layers of training, or with tensors of other layers', () => {
    const norm = { kind: 'tdBatchNorm', name: 'n', threshold: 1, alpha: 1, epsilon: 1e-5, momentum: 0.1 } as const
    const trained = { ...network, layers: [norm, ...network.layers] }
    expect(() => encodeSpikingModel({ network: trained, tensors, about: {} })).toThrow(InvalidArgumentError)
    const fewer = new Map([...tensors].slice(1))
    expect(() => encodeSpikingModel({ network, tensors: fewer, about: {} })).toThrow(/expected 26 values.*got 18/)
  })

  it.each([
    [null, /options must be an object, got null/],
    [undefined, /options must be an object/],
    [{}, /both files are needed/],
    [{ description: '{}' }, /both files are needed/],
    [{ description: new Uint8Array(3), weights: new Uint8Array(3) }, /the option description must be a text/],
    [{ description: '{}', weights: 'x' }, /the option weights must be the bytes of a file/],
    [{ descripton: '{}', weights: new Uint8Array(1) }, /did you mean description/],
  ])('is no %o', (files, says) => {
    expect(() => parseSpikingModel(files as never)).toThrow(InvalidArgumentError)
    expect(() => parseSpikingModel(files as never)).toThrow(says)
  })
  it('is refused with a grid of its input that is none', () => {
    const json = JSON.parse(files.description)
    for (const inputGrid of [{ step: -1, count: 8 }, { step: 1, count: 7 }, { count: 8 }, 4, null]) {
      const description = JSON.stringify({ ...json, network: { ...json.network, inputGrid } })
      expect(() => parseSpikingModel({ ...files, description })).toThrow(FormatError)
      expect(() => parseSpikingModel({ ...files, description })).toThrow(/inputGrid/)
    }
  })

  it.each([
    ['other weights', { ...files, weights: encodeSafetensors({ tensors: new Map() }) }, /both files from one model/],
    ['a tensor too many', withTensors(new Map([['d.weight', values(1)]])), /"d.weight" belongs to no layer/],
    ['another shape', withTensors(new Map([['c.bias', values(1, 2)]])), /"c.bias" as \[2\] of 32 bits, got \[1,2\]/],
    [
      'doubles',
      withTensors(new Map([['c.bias', { shape: [2], data: new Float64Array(2) }]])),
      /"c.bias" holds F64, expected F32/,
    ],
    [
      'infinite weights',
      withTensors(new Map([['c.bias', { shape: [2], data: Float32Array.of(0, Number.POSITIVE_INFINITY) }]])),
      /"c.bias" is not finite/,
    ],
    ['no weights', signed(encodeSafetensors({ tensors: new Map() })), /expected 26 values/],
  ])('is refused with %s', (_, given, message) => {
    expect(() => parseSpikingModel(given)).toThrow(FormatError)
    expect(() => parseSpikingModel(given)).toThrow(message)
  })

  it('ends in FormatError under damage to the description, and to weights that it vouches for (3,000 cases)', () => {
    const damage = (bytes: Uint8Array) =>
      fc
        .array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 })), { maxLength: 4 })
        .map((flips) => {
          const copy = bytes.slice()
          for (const [at, value] of flips) copy[at] = value
          return copy
        })
    const read = (given: SpikingModelFiles): void => {
      try {
        parseSpikingModel(given)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
      }
    }
    const text = new TextEncoder().encode(files.description)
    fc.assert(
      fc.property(damage(text), (bytes) => read({ ...files, description: new TextDecoder().decode(bytes) })),
      { numRuns: 1500 },
    )
    fc.assert(
      fc.property(damage(files.weights), (weights) => read(signed(weights))),
      { numRuns: 1500 },
    )
  })
})
