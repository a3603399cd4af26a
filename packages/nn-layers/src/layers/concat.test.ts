import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { createTensor } from '@he-ml/model'
import {
  type ChannelLayout,
  createBatchLayout,
  createChannelLayout,
  createMultiplexedLayout,
  type SlotLayout,
} from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { checkLayer } from '../checking/index.ts'
import { affine, concat, conv2d, sumPool2d } from '../index.ts'
import { fillGaps, randomTensor, testContext } from '../testing/run-layer.ts'

const image = (channels: number) => createMultiplexedLayout([channels, 3, 3], { maxSlots: 512 })
const channel = (channels: number) => createChannelLayout([channels, 4, 4], { slots: 64, images: 4 })
/** Behind a stride: two channels in each ciphertext. */
const shared = (channels: number): ChannelLayout => ({
  ...createChannelLayout([channels, 2, 2], { slots: 64, images: 4 }),
  rowStride: 4,
  columnStride: 2,
  channelOffsets: [0, 1],
  ciphertexts: Math.ceil(channels / 2),
  gaps: 'bounded',
})

describe('concat', () => {
  it.each<[string, SlotLayout[]]>([
    ['one image', [image(2), image(2)]],
    ['one image, vectors of different lengths', [image(1), image(5)]],
    ['one image, gaps of any size', [fillGaps(image(2)), image(2)]],
    ['features', [1, 2, 3].map((n) => createMultiplexedLayout([n], { maxSlots: 512 }))],
    ['batch', [2, 1, 3].map((n) => createBatchLayout([n, 3, 3], { slots: 4 }))],
    ['channel', [channel(2), channel(1), channel(3)]],
    ['channels that share ciphertexts', [shared(4), shared(3)]],
    ['sub-batches in groups', [1, 2].map((n) => ({ ...channel(n), subBatches: 2, ciphertexts: 2 * n }))],
  ])('%s', async (_, layouts) => {
    const layer = concat({ name: 'both', inputs: layouts.length })
    const [check] = await checkLayer(layer, { layouts: [layouts], others: [concat({ name: 'b', inputs: 9 })] })
    expect(check!.depth).toBe(0)
  })

  it('of branches that were pooled alike feeds a convolution', async () => {
    const pooled = sumPool2d({ name: 'pool', kernel: 2 }).lower(
      [createMultiplexedLayout([2, 6, 6], { maxSlots: 512 })],
      testContext,
    )
    const layer = concat({ name: 'both', inputs: 2 })
    const [check] = await checkLayer(layer, { layouts: [[pooled.outputs[0]!, pooled.outputs[0]!]] })
    expect(check!.output).toMatchObject({ ciphertexts: 2, grid: { columnStride: 2, gaps: 'any' } })
    const conv = conv2d({ name: 'conv', weights: randomTensor([3, 4, 2, 2], 1) })
    await checkLayer(conv, { layouts: [check!.output] })
  })

  it('refuses what lies otherwise, and says what to do', () => {
    const layer = concat({ name: 'both', inputs: 2 })
    const lower = (a: SlotLayout, b: SlotLayout) => () => layer.lower([a, b])
    const strided = { ...image(2), grid: { ...image(2).grid, rowStride: 8, columnStride: 2 } }
    const cases: [() => unknown, RegExp][] = [
      [
        lower(image(2), createBatchLayout([2, 3, 3], { slots: 4 })),
        /"both": its inputs \(\[2,3,3\], \[2,3,3\]\) lie in layouts of diff/,
      ],
      [
        lower(createBatchLayout([2], { slots: 4 }), createBatchLayout([2], { slots: 8 })),
        /pack all inputs of the model alike/,
      ],
      [lower(strided, image(2)), /grids of different steps: give all branches the same strides/],
      [lower(channel(2), { ...channel(2), columnStride: 1, rowStride: 8 }), /different slots of their ciphertexts/],
      [lower(shared(3), shared(2)), /share ciphertexts among 2 channels.*all but the last must have a multiple/],
    ]
    for (const [work, message] of cases) {
      expect(work).toThrow(message)
      expect(work).toThrow(UnsupportedError)
    }
  })

  it('says what is wrong with shapes and numbers of inputs', () => {
    const layer = concat({ name: 'both', inputs: 2 })
    const tensor = (...shape: number[]) => createTensor(shape)
    expect(() => layer.forward([tensor(2, 3, 3)])).toThrow(/"both": expected 2 inputs .* got \[2,3,3\]/)
    expect(() => layer.forward([tensor(2, 3, 3), tensor(2, 3, 4)])).toThrow(InvalidArgumentError)
    expect(() => layer.forward([tensor(2), tensor(2, 1)])).toThrow(InvalidArgumentError)
    expect(() => concat({ name: 'both', inputs: 1 })).toThrow(/at least 2 inputs/)
  })
})

describe('affine', () => {
  it('scales and shifts channels, at a level for factors only', async () => {
    const multiplier = Float64Array.of(2, -1)
    const shift = Float64Array.of(0.5, 3)
    for (const [options, depth] of [
      [{ multiplier, shift }, 1],
      [{ multiplier }, 1],
      [{ shift }, 0],
    ] as const) {
      const layouts = [image(2), channel(2), createBatchLayout([2, 3, 3], { slots: 4 })]
      for (const layout of layouts) {
        const [check] = await checkLayer(affine({ name: 'a', ...options }), { layouts: [layout] })
        expect(check!.depth).toBe(depth)
      }
    }
    const x = createTensor([2], Float64Array.of(1, 1))
    expect([...affine({ name: 'a', multiplier, shift }).forward([x]).data]).toEqual([2.5, 2])
    expect(() => affine({ name: 'a' })).toThrow(/"a": expected as many/)
    expect(() => affine({ name: 'a', multiplier, shift: Float64Array.of(1) })).toThrow(/2 and 1/)
  })
})
