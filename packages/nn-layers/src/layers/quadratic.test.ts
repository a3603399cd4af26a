import { InvalidArgumentError } from '@he-ml/ckks-core'
import { foldFactors, Model, type NodeDescription } from '@he-ml/model'
import { createBatchLayout, createChannelLayout, createMultiplexedLayout } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { add, averagePool2d, batchNorm, conv2d, flatten, QuadraticLayer, quadratic } from '../index.ts'
import { expectLikeForward, fillGaps, largestDifference, randomTensor } from '../testing/run-layer.ts'

const layouts = [
  createMultiplexedLayout([3, 4, 4], { maxSlots: 512 }),
  createBatchLayout([3, 2, 1], { slots: 16 }),
  createChannelLayout([3, 4, 4], { slots: 512 }),
  { ...createChannelLayout([3, 4, 4], { slots: 512, images: 4 }), rowStride: 8, columnStride: 2 },
]

describe('a quadratic', () => {
  it.each([
    ['x (x + b) + c', { leading: 1, linear: 0.5, constant: -0.25 }, 1],
    ['a square', { leading: 1 }, 1],
    ['one that falls', { leading: -1, linear: 2, constant: 3 }, 1],
    ['any other', { leading: 0.3, linear: -0.5, constant: 0.1 }, 2],
    ['another without the rest', { leading: -2.5 }, 2],
  ])('equals forward on every layout, with the depth promised: %s', async (_, coefficients, depth) => {
    const layer = quadratic({ name: 'q', ...coefficients })
    for (const layout of layouts) {
      const { lowered } = await expectLikeForward(layer, [layout], { gap: 0 })
      expect(lowered.depth).toBe(depth)
    }
    const filled = await expectLikeForward(layer, [fillGaps(layouts[3]!)])
    expect(filled.lowered.outputs[0]).toMatchObject({ gaps: 'any' })
  })

  it('refuses what is none, by name', () => {
    expect(() => quadratic({ name: 'flat', leading: 0, linear: 1 })).toThrow(/"flat": the coefficient of x\^2/)
    expect(() => quadratic({ name: 'far', leading: 1, linear: Number.NaN })).toThrow(InvalidArgumentError)
  })
})

describe('networks of quadratics', () => {
  const conv = (name: string, seed: number) =>
    conv2d({ name, weights: randomTensor([2, 2, 3, 3], seed), padding: 1, bias: randomTensor([2], seed + 1).data })
  const nodes: NodeDescription[] = [
    { layer: conv('stem', 1), inputs: ['image'] },
    { layer: quadratic({ name: 'first', leading: 0.25, linear: 0.5, constant: 0.125 }), inputs: ['stem'] },
    { layer: conv('inner', 3), inputs: ['first'] },
    { layer: quadratic({ name: 'middle', leading: -0.7, linear: 0.3 }), inputs: ['inner'] },
    { layer: conv('outer', 5), inputs: ['middle'] },
    { layer: add({ name: 'sum' }), inputs: ['outer', 'first'] },
    { layer: quadratic({ name: 'last', leading: 0.1, linear: -1, constant: 2 }), inputs: ['sum'] },
    { layer: averagePool2d({ name: 'pool', kernel: 2 }), inputs: ['last'] },
    { layer: conv('end', 7), inputs: ['pool'] },
  ]
  const model = new Model({ name: 'quadratics', input: { name: 'image', shape: [2, 4, 4] }, nodes })

  it('are held so that every leading coefficient is 1 or -1, residual sums included, and compute the same', () => {
    const { model: folded, factors } = foldFactors(model)
    for (const { layer } of folded.nodes)
      if (layer instanceof QuadraticLayer) expect(Math.abs(layer.leading), layer.name).toBe(1)
    // what a quadratic leaves is what the next one wants of the sum that it is part of
    expect(factors.get('first')).toBeCloseTo(factors.get('sum')!, 12)
    expect(factors.get('sum')).toBeCloseTo(Math.sqrt(0.1 * factors.get('last')!), 12)
    expect(factors.get('end')).toBe(1)
    const image = randomTensor([2, 4, 4], 11)
    expect(largestDifference(folded.forward(image), model.forward(image))).toBeLessThan(1e-11)
  })
  it('leave to one whose input is held for another its second level', () => {
    const other = { layer: quadratic({ name: 'other', leading: 3 }), inputs: ['stem'] }
    const both = new Model({
      name: 'two readers',
      input: { name: 'image', shape: [2, 4, 4] },
      nodes: [...nodes.slice(0, 2), other, { layer: add({ name: 'sum' }), inputs: ['first', 'other'] }],
    })
    const leading = foldFactors(both).model.nodes.flatMap(({ layer }) =>
      layer instanceof QuadraticLayer ? [layer.leading] : [],
    )
    expect(leading.filter((a) => Math.abs(a) === 1)).toHaveLength(1)
    const image = randomTensor([2, 4, 4], 11)
    expect(largestDifference(foldFactors(both).model.forward(image), both.forward(image))).toBeLessThan(1e-11)
  })
})

describe('shifts', () => {
  it('of each channel take no level, and leave gaps as they are', async () => {
    const shift = batchNorm({
      name: 'shift',
      mean: Float64Array.of(1, -2, 0.5),
      variance: new Float64Array(3).fill(1),
      epsilon: 0,
    })
    for (const layout of layouts) {
      const { lowered } = await expectLikeForward(shift, [layout])
      expect(lowered.depth).toBe(0)
      expect(lowered.outputs).toEqual([layout])
    }
    const folded = { ...layouts[3]!, channelOffsets: [0, 1, 32], ciphertexts: 1 }
    await expectLikeForward(shift, [folded as (typeof layouts)[number]])
  })
  it('are of elements where an image was flattened', async () => {
    const flat = flatten({ name: 'flat' }).lower([createChannelLayout([2, 2, 2], { slots: 64, images: 4 })]).outputs[0]!
    const shift = batchNorm({
      name: 'shift',
      mean: randomTensor([8], 3).data,
      variance: new Float64Array(8).fill(1),
      epsilon: 0,
    })
    const { lowered } = await expectLikeForward(shift, [flat])
    expect(lowered.depth).toBe(0)
  })
})
