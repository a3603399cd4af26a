import { FormatError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { createTensor, sizeOf } from '@he-ml/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createBatchLayout,
  createChannelLayout,
  createMultiplexedLayout,
  gapsOf,
  imagesPerTensor,
  layoutPositions,
  liesAlike,
  mergeable,
  mergedLayout,
  pack,
  parseLayout,
  type SlotLayout,
  samePositions,
  unpack,
  withGaps,
  worseGaps,
} from './index.ts'

const shape3 = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
/** Sub-batches of four images: some in each ciphertext, as after merges. */
function subBatches(shape: readonly number[], groups: number, together: number): SlotLayout {
  const base = createChannelLayout(shape, { slots: 4096, images: 4, subBatches: groups * together })
  const strided = { ...base, rowStride: 2 * base.rowStride, columnStride: 2 }
  return mergedLayout(strided, mergeable(strided, together))
}

const anyLayout: fc.Arbitrary<SlotLayout> = fc.oneof(
  shape3.map((s) => createMultiplexedLayout(s, { maxSlots: 256 })),
  fc.integer({ min: 1, max: 700 }).map((n) => createMultiplexedLayout([n], { maxSlots: 256 })),
  fc.tuple(shape3, fc.integer({ min: 0, max: 4 })).map(([s, b]) => createBatchLayout(s, { slots: 2 ** b })),
  shape3.map((s) => createChannelLayout(s, { slots: 512 })),
  fc
    .tuple(shape3, fc.constantFrom(1, 2, 4), fc.constantFrom(1, 2, 4))
    .map(([s, groups, together]) => subBatches(s, groups, together)),
  shape3.map(([channels, height, width]): SlotLayout => {
    const image = [channels, height, width] as const
    const base = createChannelLayout(image, { slots: 4096, images: 4 })
    // as after a stride of 2, flattened
    return { ...base, shape: [sizeOf(image)], rowStride: 2 * base.rowStride, columnStride: 2, gaps: 'any' }
  }),
)

describe('createMultiplexedLayout', () => {
  it('takes the smallest period and a power-of-two pitch where that is free', () => {
    const mnist = createMultiplexedLayout([1, 28, 28], { maxSlots: 16384 })
    expect([mnist.slots, mnist.grid.rowStride]).toEqual([1024, 32])
    const tight = createMultiplexedLayout([1, 20, 20], { maxSlots: 16384 })
    expect([tight.slots, tight.grid.rowStride]).toEqual([512, 20])
    const cifar = createMultiplexedLayout([3, 32, 32], { maxSlots: 16384 })
    expect([cifar.slots, cifar.ciphertexts, cifar.grid.channelOffsets]).toEqual([4096, 1, [0, 1024, 2048]])
  })
  it('goes on in further ciphertexts', () => {
    const layout = createMultiplexedLayout([5, 8, 8], { maxSlots: 128 })
    expect([layout.slots, layout.ciphertexts]).toEqual([128, 3])
  })
  it('refuses what does not fit, with what to do', () => {
    expect(() => createMultiplexedLayout([1, 224, 224], { maxSlots: 16384 })).toThrow(UnsupportedError)
    expect(() => createMultiplexedLayout([2, 3], { maxSlots: 64 })).toThrow(InvalidArgumentError)
    expect(() => createMultiplexedLayout([1, 4, 4], { maxSlots: 64, rowStride: 3 })).toThrow(/rowStride/)
    expect(() => createMultiplexedLayout([1, 4, 4], { maxSlots: 60 })).toThrow(/power of two/)
    expect(() => createMultiplexedLayout([1, 4, 4], { maxSlots: 64, slots: 8 })).toThrow(/at least 16/)
  })
})

describe('createChannelLayout', () => {
  it('puts images side by side', () => {
    const layout = createChannelLayout([2, 2, 2], { slots: 16 })
    expect(layout.images).toBe(4)
    expect([...layoutPositions(layout)]).toEqual([0, 4, 8, 12, 16, 20, 24, 28])
    expect(() => createChannelLayout([2, 4, 4], { slots: 8 })).toThrow(/do not fit/)
  })
  it('keeps rows a power of two apart where that costs no room, and leaves zeros in the gaps', () => {
    const layout = createChannelLayout([1, 3, 3], { slots: 32, images: 2 })
    expect(layout).toMatchObject({ rowStride: 4, gaps: 'zero', image: [1, 3, 3] })
    const [vector] = pack(createTensor([1, 3, 3], new Float64Array(9).fill(1)), layout)
    // image 1 is left out, and so are the last column and the last row of positions
    expect([...vector!].map((v, slot) => (v === 1 ? slot : -1)).filter((slot) => slot >= 0)).toEqual([
      0, 2, 4, 8, 10, 12, 16, 18, 20,
    ])
  })
})

describe('pack and unpack', () => {
  it('gives the tensors back', () => {
    fc.assert(
      fc.property(anyLayout, fc.integer({ min: 1, max: 40 }), fc.integer(), (layout, wanted, seed) => {
        const count = Math.min(wanted, imagesPerTensor(layout))
        const images = Array.from({ length: count }, (_, b) =>
          createTensor(
            layout.shape,
            Float64Array.from({ length: sizeOf(layout.shape) }, (_, i) => Math.sin(seed + 31 * b + i)),
          ),
        )
        const vectors = pack(images, layout)
        expect(vectors.every((v) => v.length === layout.slots)).toBe(true)
        expect(unpack(vectors, layout, count)).toEqual(images)
        // an engine may answer with a longer, repeating vector
        const repeated = vectors.map((v) => Float64Array.from({ length: 2 * v.length }, (_, i) => v[i % v.length]!))
        expect(unpack(repeated, layout, count)).toEqual(images)
      }),
    )
  })
  it('has distinct positions in range', () => {
    fc.assert(
      fc.property(anyLayout, (layout) => {
        const positions = layoutPositions(layout)
        expect(new Set(positions).size).toBe(positions.length)
        expect(Math.min(...positions)).toBeGreaterThanOrEqual(0)
        expect(Math.max(...positions)).toBeLessThan(layout.ciphertexts * layout.slots)
      }),
    )
  })
  it('fills every copy of a period', () => {
    const layout = { ...createMultiplexedLayout([3], { maxSlots: 8 }), slots: 8 }
    expect([...pack(createTensor([3], Float64Array.of(1, 2, 3)), layout)[0]!]).toEqual([1, 2, 3, 0, 1, 2, 3, 0])
  })
  it('says what is wrong', () => {
    const layout = createBatchLayout([2], { slots: 2 })
    const image = createTensor([2])
    expect(() => pack([], layout)).toThrow(InvalidArgumentError)
    expect(() => pack([image, image, image], layout)).toThrow(/1 to 2 images/)
    expect(() => pack(createTensor([3]), layout)).toThrow(/shape \[3\]/)
    expect(() => unpack([new Float64Array(2)], layout)).toThrow(/2 ciphertexts/)
    expect(() => unpack([new Float64Array(3), new Float64Array(2)], layout)).toThrow(/2 slots/)
  })
})

describe('gaps', () => {
  it('are read and set alike for every kind', () => {
    const layouts = [
      createMultiplexedLayout([2, 4, 4], { maxSlots: 64 }),
      createChannelLayout([2, 4, 4], { slots: 64 }),
    ]
    for (const layout of layouts) {
      expect(gapsOf(layout)).toBe('zero')
      expect(gapsOf(withGaps(layout, 'bounded'))).toBe('bounded')
      expect(liesAlike(layout, withGaps(layout, 'any'))).toBe(true)
    }
    const batch = createBatchLayout([2], { slots: 4 })
    expect([gapsOf(batch), withGaps(batch, 'any')]).toEqual(['zero', batch])
    expect([worseGaps('zero', 'bounded'), worseGaps('any', 'zero', 'bounded')]).toEqual(['bounded', 'any'])
  })
  it('do not matter to whether channel layouts lie alike, images and strides do', () => {
    const layout = createChannelLayout([2, 4, 4], { slots: 64, images: 2 })
    expect(liesAlike(layout, { ...layout, images: 1 })).toBe(false)
    expect(liesAlike(layout, { ...layout, rowStride: 8 })).toBe(false)
    expect(liesAlike(layout, { ...layout, shape: [32] })).toBe(true)
  })
})

describe('samePositions', () => {
  it('compares places', () => {
    const a = createMultiplexedLayout([2, 4, 4], { maxSlots: 64 })
    expect(samePositions(a, createMultiplexedLayout([2, 4, 4], { maxSlots: 64 }))).toBe(true)
    expect(samePositions(a, { ...a, grid: { ...a.grid, channelOffsets: [16, 0] } })).toBe(false)
  })
})

describe('parseLayout', () => {
  it('round-trips through JSON', () => {
    fc.assert(
      fc.property(anyLayout, (layout) => {
        expect(parseLayout(JSON.parse(JSON.stringify(layout)))).toEqual(layout)
      }),
    )
  })
  it('throws FormatError, and nothing else, on anything else', () => {
    fc.assert(
      fc.property(anyLayout, fc.jsonValue(), fc.nat(), (layout, value, pick) => {
        const copy = JSON.parse(JSON.stringify(layout)) as Record<string, unknown>
        const target = (pick % 2 === 0 && copy.grid ? copy.grid : copy) as Record<string, unknown>
        const keys = Object.keys(target)
        target[keys[pick % keys.length]!] = value
        try {
          parseLayout(copy)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
        }
      }),
    )
    expect(() => parseLayout(null)).toThrow(FormatError)
    expect(() => parseLayout({ kind: 'spiral' })).toThrow(/layout.kind/)
    const layout = createMultiplexedLayout([2, 4, 4], { maxSlots: 64 })
    expect(() => parseLayout({ ...layout, grid: { ...layout.grid, channelOffsets: [0, 5] } })).toThrow(/two elements/)
    expect(() => parseLayout({ ...layout, grid: { ...layout.grid, channelOffsets: [0, 30] } })).toThrow(/beyond/)
    expect(() => parseLayout({ ...layout, surprise: 1 })).toThrow(/unknown field/)
    const channel = createChannelLayout([2, 4, 4], { slots: 64 })
    expect(() => parseLayout({ ...channel, image: [2, 4, 5] })).toThrow(/layout.image: .*another number/)
    expect(() => parseLayout({ ...channel, image: [4, 4] })).toThrow(/layout.image: expected rank 3/)
    expect(() => parseLayout({ ...channel, gaps: 'some' })).toThrow(/layout.gaps/)
    expect(() => parseLayout({ ...channel, rowStride: 32 })).toThrow(/needs .* slots, got 64/)
    expect(() => parseLayout({ ...channel, rowStride: 1 })).toThrow(/two elements/)
    const two = { ...channel, images: 1, subBatches: 2, ciphertexts: 4 }
    expect(parseLayout(two)).toEqual(two)
    expect(() => parseLayout({ ...two, subBatches: 3, subBatchOffsets: [0, 16] })).toThrow(/2 do not divide 3/)
    expect(() => parseLayout({ ...two, ciphertexts: 2, subBatchOffsets: [0, 15] })).toThrow(/two elements/)
    expect(() => parseLayout({ ...two, ciphertexts: 2, subBatchOffsets: [0, 63] })).toThrow(/needs .* slots, got 64/)
    expect(() => parseLayout({ ...two, subBatchOffsets: [] })).toThrow(/layout.subBatchOffsets/)
  })
})
