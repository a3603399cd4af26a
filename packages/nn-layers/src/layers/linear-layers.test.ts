import { UnsupportedError } from '@he-ml/ckks-core'
import { createTensor, sizeOf } from '@he-ml/model'
import { createBatchLayout, createMultiplexedLayout, type SlotLayout } from '@he-ml/packing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchNorm, conv2d, foldBatchNorm, linear } from '../index.ts'
import { convolutions, makeConvolution, size } from '../testing/random-convolutions.ts'
import { expectLikeForward, fillGaps, largestDifference, randomTensor } from '../testing/run-layer.ts'

const convolution = convolutions({ groups: 3, inputs: 2, padding: 3 })

describe('conv2d', () => {
  it('matches a hand-made convolution', () => {
    const weights = createTensor([1, 1, 2, 2], Float64Array.of(1, 2, 3, 4))
    const layer = conv2d({ name: 'c', weights, padding: [0, 0, 1, 1], bias: Float64Array.of(10) })
    const x = createTensor([1, 2, 2], Float64Array.of(1, 2, 3, 4))
    expect([...layer.forward([x]).data]).toEqual([40, 24, 21, 14])
  })
  it('equals forward when multiplexed, whatever the gaps hold', async () => {
    await fc.assert(
      fc.asyncProperty(convolution, fc.boolean(), async (c, dirty) => {
        const layout = createMultiplexedLayout([c.groups * c.inputs, ...c.image], { maxSlots: 512 })
        const run = await expectLikeForward(makeConvolution(c), [dirty ? fillGaps(layout) : layout], { seed: c.seed })
        expect(run.lowered.depth).toBe(1)
      }),
      { numRuns: 150 },
    )
  })
  it('equals forward through several small ciphertexts, or says that it does not fit', async () => {
    let ran = 0
    await fc.assert(
      fc.asyncProperty(convolution, fc.constantFrom('zero' as const, 'any' as const), async (c, gaps) => {
        const layout = createMultiplexedLayout([c.groups * c.inputs, ...c.image], { maxSlots: 64 })
        try {
          await expectLikeForward(makeConvolution(c), [layout], { seed: c.seed, context: { maxSlots: 64, gaps } })
          ran++
        } catch (error) {
          if (!(error instanceof UnsupportedError)) throw error
          expect(error.message).toMatch(/"conv": its output .* does not fit/)
        }
      }),
      { numRuns: 100 },
    )
    expect(ran).toBeGreaterThan(50)
  })
  it('equals forward on a batch', async () => {
    await fc.assert(
      fc.asyncProperty(convolution, async (c) => {
        const layout = createBatchLayout([c.groups * c.inputs, ...c.image], { slots: 4 })
        const run = await expectLikeForward(makeConvolution(c), [layout], { seed: c.seed })
        expect(run.lowered.depth).toBe(1)
      }),
      { numRuns: 60 },
    )
  })
  it('spreads over several ciphertexts when one is too small', async () => {
    const layout = createMultiplexedLayout([2, 16, 16], { maxSlots: 512 })
    const layer = conv2d({ name: 'wide', weights: randomTensor([5, 2, 3, 3], 3), padding: 1 })
    const run = await expectLikeForward(layer, [layout])
    const wide = run.lowered.outputs[0] as typeof layout
    expect(wide.ciphertexts).toBe(3)
    await expectLikeForward(conv2d({ name: 'narrow', weights: randomTensor([2, 5, 3, 3], 4), stride: 2 }), [wide])
    await expectLikeForward(conv2d({ name: 'deep', weights: randomTensor([6, 1, 2, 2], 5), groups: 1 }), [
      createMultiplexedLayout([1, 16, 16], { maxSlots: 512 }),
    ])
  })
  it('keeps a stride in place and fills the gaps with channels', async () => {
    const layout = createMultiplexedLayout([4, 8, 8], { maxSlots: 512 })
    const layer = conv2d({ name: 'down', weights: randomTensor([8, 4, 3, 3], 5), stride: 2, padding: 1 })
    const output = (await expectLikeForward(layer, [layout])).lowered.outputs[0] as typeof layout
    expect(output.slots).toBeLessThanOrEqual(512)
    expect(output.grid.columnStride).toBe(2)
    const next = conv2d({ name: 'next', weights: randomTensor([8, 8, 3, 3], 6), padding: 1 })
    await expectLikeForward(next, [output])
  })
  it('takes the layout asked for', async () => {
    const layout = createMultiplexedLayout([3, 4, 4], { maxSlots: 512 })
    const prefer = { ...layout, slots: 128, period: 128, grid: { ...layout.grid, channelOffsets: [80, 16, 48] } }
    const layer = conv2d({ name: 'c', weights: randomTensor([3, 3, 3, 3], 7), padding: 1 })
    const run = await expectLikeForward(layer, [layout], { context: { maxSlots: 512, prefer } })
    expect(run.lowered.outputs[0]!).toMatchObject({ grid: { channelOffsets: [80, 16, 48] } })
  })
  it('scales its output and its input for free', () => {
    const layer = conv2d({ name: 'c', weights: randomTensor([2, 1, 2, 2], 8), bias: Float64Array.of(1, -2) })
    const x = randomTensor([1, 3, 3], 9)
    const y = layer.forward([x])
    const scaled = layer.scaleOutput(0.25).forward([x])
    expect(
      largestDifference(
        scaled,
        createTensor(
          y.shape,
          y.data.map((v) => v / 4),
        ),
      ),
    ).toBeLessThan(1e-15)
    const stretched = layer.scaleInput(3).forward([
      createTensor(
        x.shape,
        x.data.map((v) => v / 3),
      ),
    ])
    expect(largestDifference(stretched, y)).toBeLessThan(1e-14)
  })
  it.each([
    ['weights of rank 3', () => conv2d({ name: 'bad', weights: createTensor([1, 2, 2]) }), /"bad": weights should be/],
    [
      'groups',
      () => conv2d({ name: 'bad', weights: createTensor([3, 1, 1, 1]), groups: 2 }),
      /"bad": 3 output channels/,
    ],
    [
      'bias',
      () => conv2d({ name: 'bad', weights: createTensor([3, 1, 1, 1]), bias: Float64Array.of(1) }),
      /"bad": .*bias/,
    ],
    ['stride', () => conv2d({ name: 'bad', weights: createTensor([3, 1, 1, 1]), stride: 0 }), /"bad": stride/],
    [
      'NaN',
      () => conv2d({ name: 'bad', weights: createTensor([1, 1, 1, 1], Float64Array.of(Number.NaN)) }),
      /weights\[0\]/,
    ],
    [
      'channels',
      () => conv2d({ name: 'bad', weights: createTensor([1, 2, 1, 1]) }).outputShape([[3, 4, 4]]),
      /reads? 2 channels/,
    ],
    [
      'window',
      () => conv2d({ name: 'bad', weights: createTensor([1, 1, 5, 5]) }).outputShape([[1, 4, 4]]),
      /does not fit/,
    ],
    [
      'rank',
      () => conv2d({ name: 'bad', weights: createTensor([1, 1, 1, 1]) }).outputShape([[4]]),
      /"bad": expected an input/,
    ],
    [
      'padding only',
      () =>
        conv2d({ name: 'bad', weights: createTensor([1, 1, 2, 2]), dilation: 2, padding: 1 }).outputShape([[1, 1, 1]]),
      /padding only/,
    ],
  ])('refuses wrong %s, naming the layer', (_, make, message) => {
    expect(make).toThrow(message)
  })
  it('needs a window that reads something but padding', () => {
    const layer = conv2d({ name: 'bad', weights: createTensor([1, 1, 1, 1]), padding: [0, 1, 0, 0], stride: 2 })
    expect(() => layer.outputShape([[1, 1, 1]])).toThrow(/"bad": every window/)
  })
  it('finds room for an image that padding makes wider than its rows', async () => {
    const layer = conv2d({
      name: 'wide',
      weights: randomTensor([3, 2, 2, 2], 2),
      padding: 3,
      bias: Float64Array.of(1, 2, 3),
    })
    await expectLikeForward(layer, [fillGaps(createMultiplexedLayout([2, 3, 4], { maxSlots: 512 }))])
    const full = createMultiplexedLayout([1, 16, 16], { maxSlots: 256 })
    const huge = conv2d({ name: 'huge', weights: randomTensor([1, 1, 1, 1], 2), padding: 8 })
    expect(() => huge.lower([full], { maxSlots: 256 })).toThrow(/"huge": its output .* does not fit/)
  })
})

describe('linear', () => {
  const shapes = fc.record({ inputs: size(1, 40), outputs: size(1, 40), bias: fc.boolean(), seed: fc.nat() })
  it('equals forward, multiplexed', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.constantFrom('zero' as const, 'any' as const), async (s, gaps) => {
        const bias = s.bias ? { bias: randomTensor([s.outputs], s.seed).data } : {}
        const layer = linear({ name: 'fc', weights: randomTensor([s.outputs, s.inputs], s.seed), ...bias })
        const layout = fillGaps(createMultiplexedLayout([s.inputs], { maxSlots: 512 }))
        await expectLikeForward(layer, [layout], { seed: s.seed, context: { maxSlots: 512, gaps } })
      }),
      { numRuns: 80 },
    )
  })
  it('equals forward from scattered positions and from repeating vectors', async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes,
        fc.boolean(),
        fc.constantFrom('zero' as const, 'any' as const),
        async (s, repeat, gaps) => {
          const all = Array.from({ length: 64 }, (_, i) => i).sort(
            (a, b) => Math.sin(a * s.seed + 1) - Math.sin(b * s.seed + 1),
          )
          const base = createMultiplexedLayout([s.inputs], { maxSlots: 512 })
          const grid = { ...base.grid, channelOffsets: all.slice(0, s.inputs), gaps: 'any' as const }
          const layout = { ...base, slots: repeat ? 512 : 64, period: 64, grid }
          const layer = linear({ name: 'fc', weights: randomTensor([s.outputs, s.inputs], s.seed) })
          await expectLikeForward(layer, [layout], { seed: s.seed, context: { maxSlots: 512, gaps } })
        },
      ),
      { numRuns: 80 },
    )
  })
  it('equals forward on a batch', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (s) => {
        const bias = s.bias ? { bias: randomTensor([s.outputs], s.seed).data } : {}
        const layer = linear({ name: 'fc', weights: randomTensor([s.outputs, s.inputs], s.seed), ...bias })
        await expectLikeForward(layer, [createBatchLayout([s.inputs], { slots: 8 })], { seed: s.seed })
      }),
      { numRuns: 30 },
    )
  })
  it('refuses what does not fit, naming the layer', () => {
    const layer = linear({ name: 'fc', weights: createTensor([2, 3]) })
    expect(() => layer.outputShape([[4]])).toThrow(/"fc": expected an input \[3\]/)
    expect(() => layer.outputShape([[3, 1, 1]])).toThrow(/flatten/)
    expect(() => linear({ name: 'fc', weights: createTensor([2]) })).toThrow(/"fc": weights/)
    expect(() => linear({ name: 'fc', weights: createTensor([2, 3]), bias: new Float64Array(3) })).toThrow(/2 bias/)
    expect(() => layer.scaleOutput(0)).toThrow(/factor/)
  })
})

describe('batchNorm', () => {
  const statistics = (channels: number, seed: number) => ({
    mean: randomTensor([channels], seed).data,
    variance: randomTensor([channels], seed + 1).data.map((v) => v + 1.5),
    gamma: randomTensor([channels], seed + 2).data,
    beta: randomTensor([channels], seed + 3).data,
  })
  const layouts: [string, SlotLayout][] = [
    ['multiplexed image', createMultiplexedLayout([3, 4, 4], { maxSlots: 512 })],
    ['multiplexed features', createMultiplexedLayout([5], { maxSlots: 512 })],
    ['batch image', createBatchLayout([3, 4, 4], { slots: 2 })],
  ]
  it.each(layouts)('equals forward on a %s, without rotations', async (_, layout) => {
    const layer = batchNorm({ name: 'bn', ...statistics(layout.shape[0]!, 5) })
    const { lowered } = await expectLikeForward(layer, [layout])
    expect(lowered.depth).toBe(1)
    if (layout.kind === 'multiplexed')
      expect(lowered.outputs[0]!).toMatchObject({ grid: { channelOffsets: layout.grid.channelOffsets } })
  })
  it('folds into a convolution and a linear layer', () => {
    const norm = batchNorm({ name: 'bn', ...statistics(4, 6) })
    for (const [layer, shape] of [
      [
        conv2d({ name: 'c', weights: randomTensor([4, 2, 3, 3], 7), padding: 1, bias: randomTensor([4], 8).data }),
        [2, 5, 5],
      ],
      [linear({ name: 'f', weights: randomTensor([4, 6], 9) }), [6]],
    ] as const) {
      const x = randomTensor(shape, 10)
      const expected = norm.forward([layer.forward([x])])
      expect(largestDifference(foldBatchNorm(layer, norm).forward([x]), expected)).toBeLessThan(1e-13)
    }
    expect(() => foldBatchNorm(linear({ name: 'f', weights: createTensor([3, 6]) }), norm)).toThrow(/"bn".*"f"/)
  })
  it('refuses what does not fit, naming the layer', () => {
    const one = Float64Array.of(1)
    expect(() => batchNorm({ name: 'bn', mean: one, variance: Float64Array.of(-1) })).toThrow(/"bn": variance/)
    expect(() => batchNorm({ name: 'bn', mean: one, variance: new Float64Array(2) })).toThrow(/"bn": expected 1/)
    expect(() => batchNorm({ name: 'bn', mean: one, variance: one }).outputShape([[2, 3, 3]])).toThrow(
      /"bn": expected 1 channels/,
    )
    expect(sizeOf(batchNorm({ name: 'bn', mean: one, variance: one }).outputShape([[1]]))).toBe(1)
  })
})
