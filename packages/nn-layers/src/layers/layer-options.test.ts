import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor } from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import * as layers from '../index.ts'

const weights = createTensor([1, 1, 1, 1], Float64Array.of(1))
const vector = Float64Array.of(1)
/** What each function needs. */
const GOOD: Readonly<Record<string, object>> = {
  activation: { function: 'relu' },
  add: {},
  affine: { multiplier: vector },
  averagePool2d: { kernel: 2 },
  batchNorm: { mean: vector, variance: vector },
  concat: { inputs: 2 },
  conv2d: { weights },
  flatten: {},
  globalAveragePool: {},
  identity: {},
  linear: { weights: createTensor([1, 1], vector) },
  maxPool2d: { input: 'x', shape: [1, 2, 2], kernel: 2 },
  prelu: { slopes: vector.map(() => 0.1) },
  quadratic: { leading: 1 },
  reshape: { shape: [1] },
  select: { sizes: [1], strides: [1] },
  sumPool2d: { kernel: 'global' },
}
const make = (call: string, options: unknown): unknown =>
  (layers as unknown as Record<string, (options: unknown) => unknown>)[call]!(options)

describe('options of layers', () => {
  it.each(Object.entries(GOOD))('of %s: what there is not, null, and what is missing are refused', (call, good) => {
    expect(() => make(call, { name: 'layer', ...good })).not.toThrow()
    const wrong: [unknown, RegExp][] = [
      [{ name: 'layer', ...good, nmae: 'x' }, new RegExp(`^${call}: there is no option nmae: did you mean name\\?`)],
      [{ ...good, name: 7 }, new RegExp(`^${call}: the option name must be a name, got 7`)],
      [null, new RegExp(`^${call}: options must be an object, got null`)],
      [undefined, new RegExp(`^${call}: options must be an object`)],
      ...['name', ...Object.keys(good)]
        .filter((option) => option !== 'multiplier')
        .map((option): [unknown, RegExp] => [
          { name: 'layer', ...good, [option]: undefined },
          new RegExp(`^${call}: the option ${option} is missing`),
        ]),
    ]
    for (const [options, says] of wrong) {
      expect(() => make(call, options)).toThrow(InvalidArgumentError)
      expect(() => make(call, options)).toThrow(says)
    }
  })
  it.each([
    ['maxPool2d', { input: 'x', shape: [1, 2, 2], kernel: 2, strides: 2 }, /no option strides: did you mean stride\?/],
    ['maxPool2d', { input: 'x', shape: 4, kernel: 2 }, /shape must be a list of numbers, got 4/],
    ['conv2d', { weights, stride: '2' }, /stride must be a number or a list of them, got "2"/],
    ['conv2d', { weights, groups: 0 }, /groups must be an integer of at least 1/],
    ['linear', { weights: [[1]] }, /weights must be a tensor/],
    ['linear', { weights, bias: [1] }, /bias must be a Float64Array, got \[1\]/],
    ['averagePool2d', { kernel: 'all' }, /kernel must be a number, a pair or 'global', got "all"/],
    ['averagePool2d', { kernel: 2, dilation: 2 }, /no option dilation/],
    ['batchNorm', { mean: vector, variance: vector, epsilon: -1 }, /epsilon must be a finite number of at least 0/],
  ])('of %s: %j is refused', (call, options, says) => {
    expect(() => make(call, { name: 'layer', ...options })).toThrow(InvalidArgumentError)
    expect(() => make(call, { name: 'layer', ...options })).toThrow(says)
  })
})
