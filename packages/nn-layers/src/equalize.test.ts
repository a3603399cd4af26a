import { InvalidArgumentError } from '@he-ml/ckks-core'
import {
  createTensor,
  type Equalization,
  equalizationOf,
  equalized,
  Model,
  type NodeDescription,
  type Tensor,
} from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import { activation, add, averagePool2d, conv2d, flatten, globalAveragePool, linear } from './index.ts'
import { largestDifference, randomTensor } from './testing/run-layer.ts'

/** Weights whose channels differ in size by powers of three. */
const uneven = (shape: readonly number[], seed: number): Tensor => {
  const { data } = randomTensor(shape, seed)
  const each = data.length / shape[0]!
  return createTensor(
    [...shape],
    data.map((w, i) => w * 3 ** -Math.floor(i / each)),
  )
}
const conv = (name: string, shape: readonly number[], seed: number) =>
  conv2d({ name, weights: uneven(shape, seed), padding: 1, bias: randomTensor([shape[0]!], seed + 1).data })

/** A residual block between a stem and a head; an activation that does not commute with factors before the head, if wanted. */
function network(last: 'relu' | 'tanh' = 'relu'): Model {
  const nodes: NodeDescription[] = [
    { layer: conv('stem', [4, 1, 3, 3], 1), inputs: ['image'] },
    { layer: activation({ name: 'first', function: 'relu' }), inputs: ['stem'] },
    { layer: conv('inner', [4, 4, 3, 3], 3), inputs: ['first'] },
    { layer: activation({ name: 'middle', function: 'relu' }), inputs: ['inner'] },
    { layer: conv('outer', [4, 4, 3, 3], 5), inputs: ['middle'] },
    { layer: add({ name: 'sum' }), inputs: ['outer', 'first'] },
    { layer: activation({ name: 'last', function: last }), inputs: ['sum'] },
    { layer: averagePool2d({ name: 'pool', kernel: 2 }), inputs: ['last'] },
    { layer: globalAveragePool({ name: 'mean' }), inputs: ['pool'] },
    { layer: flatten({ name: 'flat' }), inputs: ['mean'] },
    {
      layer: linear({ name: 'fc', weights: randomTensor([3, 4], 7), bias: randomTensor([3], 8).data }),
      inputs: ['flat'],
    },
  ]
  return new Model({ name: 'uneven', input: { name: 'image', shape: [1, 4, 4] }, nodes })
}

const images = [1, 2, 3].map((seed) => randomTensor([1, 4, 4], 40 + seed))

/** Largest absolute value of each channel over the images. */
function largestIn(model: Model): (value: string) => number[] {
  const values = images.map((image) => {
    const all = new Map<string, Tensor>()
    model.evaluate(image, (node, given) => {
      const [result] = 'forward' in node.layer ? [node.layer.forward(given)] : []
      all.set(node.name, result!)
      return [result!]
    })
    return all
  })
  return (value) => {
    const tensors = values.map((all) => all.get(value)!)
    const [channels] = model.shapes.get(value) as [number]
    const each = tensors[0]!.data.length / channels
    return Array.from({ length: channels }, (_, c) =>
      Math.max(...tensors.flatMap(({ data }) => [...data.slice(c * each, (c + 1) * each)].map(Math.abs))),
    )
  }
}

describe('equalization', () => {
  it('makes the channels that activations read equally wide, and computes the same function', () => {
    const model = network()
    const found = equalizationOf(model, largestIn(model))
    // the stem and what is added to it are held alike, so are the ends of the model as they are
    expect(Object.keys(found)).toEqual(['stem', 'inner', 'outer'])
    expect(found.outer).toEqual(found.stem)
    const even = equalized(model, found)
    for (const image of images) expect(largestDifference(even.forward(image), model.forward(image))).toBeLessThan(1e-12)
    const spread = (of: readonly number[]) => Math.max(...of) / Math.min(...of)
    const [before, after] = [model, even].map((m) => spread(largestIn(m)('inner')))
    expect(before).toBeGreaterThan(8)
    // to half a quarter of an octave on either side
    expect(after).toBeLessThan(2 ** 0.25 + 1e-9)
  })

  it('goes through a flattening: neighbours are held alike', () => {
    const fc1 = linear({ name: 'fc1', weights: randomTensor([5, 64], 7), bias: randomTensor([5], 8).data })
    const nodes: NodeDescription[] = [
      { layer: conv('stem', [4, 1, 3, 3], 1), inputs: ['image'] },
      { layer: activation({ name: 'first', function: 'relu' }), inputs: ['stem'] },
      { layer: flatten({ name: 'flat' }), inputs: ['first'] },
      { layer: fc1, inputs: ['flat'] },
      { layer: activation({ name: 'second', function: 'relu' }), inputs: ['fc1'] },
      { layer: linear({ name: 'fc2', weights: randomTensor([2, 5], 9) }), inputs: ['second'] },
    ]
    const model = new Model({ name: 'flattened', input: { name: 'image', shape: [1, 4, 4] }, nodes })
    const found = equalizationOf(model, largestIn(model))
    expect(Object.entries(found).map(([name, quarters]) => [name, quarters.length])).toEqual([
      ['stem', 4],
      ['fc1', 5],
    ])
    const even = equalized(model, found)
    for (const image of images) expect(largestDifference(even.forward(image), model.forward(image))).toBeLessThan(1e-12)
  })

  it('leaves alone what does not commute with factors, and what nobody knows', () => {
    const model = network('tanh')
    expect(Object.keys(equalizationOf(model, largestIn(model)))).toEqual(['inner'])
    expect(equalizationOf(model, () => undefined)).toEqual({})
    expect(equalized(model, {})).toBe(model)
  })

  it('refuses what is none of the model', () => {
    const model = network()
    const good = { stem: [0, 1, 2, 3], inner: [0, 0, 0, 4], outer: [0, 1, 2, 3] }
    equalized(model, good)
    for (const [bad, why] of [
      [{ ...good, nobody: [0] }, /"nobody" is no node/],
      [{ ...good, fc: [0, 0, 0] }, /channels of "fc" are held as they are/],
      [{ ...good, inner: [0, 0, 0] }, /"inner" has 4 channels/],
      [{ ...good, inner: [0, 0, 0, 0.5] }, /an integer from 0 to 24/],
      [{ ...good, outer: [0, 1, 2, 4] }, /"outer" holds its channels otherwise/],
      [{ ...good, inner: null }, /"inner" has 4 channels/],
      [{ ...good, inner: 'even' }, /"inner" has 4 channels/],
      [{ stem: good.stem, inner: good.inner }, /does not tell how "outer"/],
    ] as const) {
      const attempt = () => equalized(model, bad as unknown as Equalization)
      expect(attempt).toThrow(InvalidArgumentError)
      expect(attempt).toThrow(why)
    }
  })

  it('knows the groups of a convolution', () => {
    const weights = randomTensor([4, 1, 3, 3], 1)
    const depthwise = conv2d({ name: 'depthwise', weights: randomTensor([2, 1, 3, 3], 2), groups: 2, padding: 1 })
    const nodes: NodeDescription[] = [
      {
        layer: conv2d({ name: 'stem', weights: createTensor([2, 1, 3, 3], weights.data.slice(0, 18)) }),
        inputs: ['x'],
      },
      { layer: activation({ name: 'first', function: 'relu' }), inputs: ['stem'] },
      { layer: depthwise, inputs: ['first'] },
      { layer: activation({ name: 'second', function: 'relu' }), inputs: ['depthwise'] },
      { layer: conv2d({ name: 'last', weights: randomTensor([1, 2, 1, 1], 3) }), inputs: ['second'] },
    ]
    const model = new Model({ name: 'grouped', input: { name: 'x', shape: [1, 6, 6] }, nodes })
    const even = equalized(model, { stem: [0, 7], depthwise: [3, 0] })
    const x = randomTensor([1, 6, 6], 9)
    expect(largestDifference(even.forward(x), model.forward(x))).toBeLessThan(1e-12)
  })
})
