import { createClearEngine, insecureParameters } from '@he-ml/ckks-core'
import { createTensor } from '@he-ml/model'
import { createBatchLayout, createMultiplexedLayout, type MultiplexedLayout } from '@he-ml/packing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  activation,
  add,
  averagePool2d,
  flatten,
  globalAveragePool,
  identity,
  linear,
  reshape,
  sumPool2d,
} from '../index.ts'
import { pairOf, size } from '../testing/random-convolutions.ts'
import { expectLikeForward, fillGaps, randomTensor, testContext } from '../testing/run-layer.ts'

const pooling = fc
  .record({
    channels: size(1, 4),
    image: pairOf(1, 9),
    kernel: pairOf(1, 4),
    stride: pairOf(1, 3),
    padding: pairOf(0, 1),
    countPadding: fc.boolean(),
    ceilMode: fc.boolean(),
    seed: fc.nat(),
  })
  .filter(({ image, kernel, padding }) => [0, 1].every((a) => kernel[a]! <= image[a]! && padding[a]! < kernel[a]!))

describe('pooling', () => {
  it('equals forward in both layouts, with the depth promised', async () => {
    await fc.assert(
      fc.asyncProperty(pooling, fc.boolean(), async (p, sum) => {
        const { kernel, stride, padding, countPadding, ceilMode } = p
        const options = { name: 'pool', kernel, stride, padding, countPadding }
        const layer = (sum ? sumPool2d : averagePool2d)({ ...options, ceilMode })
        const shape = [p.channels, ...p.image]
        const partial = `${layer.outputShape([shape])}` !== `${averagePool2d(options).outputShape([shape])}`
        const padded = partial || padding.some((x) => x > 0)
        const layout = fillGaps(createMultiplexedLayout(shape, { maxSlots: 512 }))
        const multiplexed = await expectLikeForward(layer, [layout], { seed: p.seed })
        expect(multiplexed.lowered.depth).toBe(sum && !padded ? 0 : 1)
        const batch = await expectLikeForward(layer, [createBatchLayout(shape, { slots: 2 })], { seed: p.seed })
        expect(batch.lowered.depth).toBe(sum ? 0 : 1)
      }),
      { numRuns: 60 },
    )
  })
  it('keeps partial windows with ceilMode, as PyTorch does, by hand', () => {
    const x = createTensor([1, 1, 5], Float64Array.of(1, 2, 3, 4, 5))
    const pool = (options: object) => {
      const layer = averagePool2d({
        name: 'p',
        kernel: [1, 3],
        stride: [1, 2],
        padding: [0, 1, 0, 0],
        ceilMode: true,
        ...options,
      })
      return [...layer.forward([x]).data]
    }
    // windows (0) 1 2, 2 3 4, 4 5 and one column beyond, which counts never; the zero on the left where padding counts
    expect(pool({})).toEqual([1, 3, 4.5])
    expect(pool({ countPadding: false })).toEqual([1.5, 3, 4.5])
    // a window that would begin beyond the image is none
    expect(pool({ kernel: [1, 2], stride: [1, 4], padding: [0, 0, 0, 1] })).toEqual([1.5, 2.5])
    expect(pool({ kernel: [1, 2], stride: [1, 3], padding: 0 })).toEqual([1.5, 4.5])
    expect(pool({ kernel: [1, 2], stride: [1, 5], padding: 0 })).toEqual([1.5])
    const partial = averagePool2d({ name: 'p', kernel: [1, 2], stride: [1, 2], ceilMode: true })
    expect(partial.factored([x.shape])).toBeUndefined()
    expect(partial.factored([[1, 1, 4]])?.factor).toBe(0.5)
  })
  it('is a factor times a sum', () => {
    const x = randomTensor([2, 6, 6], 1)
    for (const layer of [
      averagePool2d({ name: 'p', kernel: 3, stride: 1, padding: 1 }),
      globalAveragePool({ name: 'g' }),
    ]) {
      const { factor, layer: sum } = layer.factored([x.shape])!
      const product = sum.forward([x]).data.map((v) => v * factor)
      for (const [i, v] of layer.forward([x]).data.entries()) expect(v).toBeCloseTo(product[i]!, 13)
      expect(sum.kind).toBe('sumPool2d')
    }
    const uneven = averagePool2d({ name: 'p', kernel: 3, padding: 1, countPadding: false })
    expect(uneven.factored([x.shape])).toBeUndefined()
  })
  it('pools globally, from strided positions too', async () => {
    const layout = createMultiplexedLayout([3, 8, 8], { maxSlots: 512 })
    await expectLikeForward(globalAveragePool({ name: 'gap' }), [layout])
    const { lowered } = await expectLikeForward(sumPool2d({ name: 's', kernel: 2 }), [layout])
    const pooled = lowered.outputs[0] as MultiplexedLayout
    expect(pooled.grid).toMatchObject({ rowStride: 16, columnStride: 2, gaps: 'any' })
    await expectLikeForward(sumPool2d({ name: 't', kernel: 'global' }), [pooled])
  })
  it('refuses windows of padding, naming the layer', () => {
    expect(() => averagePool2d({ name: 'p', kernel: 2, padding: 2 })).toThrow(/"p": padding/)
    expect(() => averagePool2d({ name: 'p', kernel: 9 }).outputShape([[1, 4, 4]])).toThrow(/"p": a window of 9 rows/)
    expect(() => averagePool2d({ name: 'p', kernel: 2 }).outputShape([[16]])).toThrow(/"p": expected an input/)
  })
})

describe('add', () => {
  const shape = [3, 4, 4]
  const a = createMultiplexedLayout(shape, { maxSlots: 512 })
  it('adds in place at no level', async () => {
    const run = await expectLikeForward(add({ name: 'sum' }), [a, a])
    expect(run.lowered.depth).toBe(0)
    const batch = createBatchLayout(shape, { slots: 4 })
    expect((await expectLikeForward(add({ name: 'sum' }), [batch, batch])).lowered.depth).toBe(0)
  })
  it('keeps the worse of the gaps', () => {
    const bounded: MultiplexedLayout = { ...a, grid: { ...a.grid, gaps: 'bounded' } }
    const [output] = add({ name: 'sum' }).lower([bounded, a], testContext).outputs
    expect(output).toMatchObject({ grid: { gaps: 'bounded' } })
  })
  it('moves one of them when they lie apart, for a level', async () => {
    const moved: MultiplexedLayout = {
      ...a,
      slots: 128,
      period: 128,
      grid: { ...a.grid, channelOffsets: [96, 16, 50] },
    }
    for (const pair of [
      [a, moved],
      [fillGaps(moved), a],
      [a, { ...createMultiplexedLayout(shape, { maxSlots: 512, rowStride: 8 }) }],
    ]) {
      const run = await expectLikeForward(add({ name: 'sum' }), pair)
      expect(run.lowered.depth).toBe(1)
    }
  })
  it('refuses other shapes and mixed layouts, naming the layer', () => {
    expect(() => add({ name: 'sum' }).outputShape([[1], [2]])).toThrow(/"sum": expected two inputs/)
    expect(() => add({ name: 'sum' }).lower([a, createBatchLayout(shape, { slots: 4 })], testContext)).toThrow(
      /"sum" cannot run/,
    )
  })
})

describe('flatten, reshape and identity', () => {
  const image = createMultiplexedLayout([2, 3, 4], { maxSlots: 512 })
  it('move nothing', async () => {
    const back = reshape({ name: 'back', shape: [2, 3, 4] })
    for (const layout of [image, createBatchLayout([2, 3, 4], { slots: 2 })]) {
      const flat = await expectLikeForward(flatten({ name: 'flat' }), [layout])
      expect(flat.lowered.depth).toBe(0)
      await expectLikeForward(identity({ name: 'same' }), [layout])
      const again = await expectLikeForward(back, [flat.lowered.outputs[0]!])
      expect(again.lowered.outputs[0]!.shape).toEqual([2, 3, 4])
    }
  })
  it('refuse channels that go on in the next ciphertext', () => {
    // a pool over [1, 16, 8] would need rows of both ciphertexts in one
    const layout = createMultiplexedLayout([2, 8, 8], { maxSlots: 64 })
    expect(layout.ciphertexts).toBe(2)
    expect(() => reshape({ name: 'tall', shape: [1, 16, 8] }).lower([layout])).toThrow(/"tall": .*regular grid/)
  })
  it('refuse sizes that differ and grids that are none, naming the layer', () => {
    expect(() => reshape({ name: 'r', shape: [5] }).outputShape([[2, 3, 4]])).toThrow(/"r": cannot make \[5\]/)
    expect(() => reshape({ name: 'r', shape: [0] })).toThrow(/"r": a shape/)
    expect(() =>
      reshape({ name: 'r', shape: [3, 3, 2] }).lower([createMultiplexedLayout([2, 3, 3], { maxSlots: 512 })]),
    ).toThrow(/"r": .*regular grid/)
  })
})

describe('several ciphertexts', () => {
  it('are pooled, added, squared and renamed one by one', async () => {
    const layout = createMultiplexedLayout([3, 8, 8], { maxSlots: 64 })
    expect(layout.ciphertexts).toBe(3)
    const context = { maxSlots: 64 }
    for (const layer of [
      sumPool2d({ name: 'sum', kernel: 2 }),
      averagePool2d({ name: 'average', kernel: 3, stride: 1, padding: 1, countPadding: false }),
      activation({ name: 'square', function: 'square' }),
      identity({ name: 'same' }),
    ])
      await expectLikeForward(layer, [layout], { context })
    await expectLikeForward(add({ name: 'sum' }), [layout, layout], { context })
    const flat = await expectLikeForward(flatten({ name: 'flat' }), [layout], { context })
    const weights = randomTensor([4, 192], 3)
    await expectLikeForward(linear({ name: 'fc', weights }), [flat.lowered.outputs[0]!], { context })
  })
})

describe('every layer', () => {
  it('checks what it is given, and names itself', async () => {
    const layout = createMultiplexedLayout([1, 4, 4], { maxSlots: 512 })
    const pool = averagePool2d({ name: 'pool', kernel: 2 })
    const lowered = pool.lower([layout], testContext)
    const engine = createClearEngine(insecureParameters({ logN: 10, levels: 3, scaleBits: 40, dnum: 4 }))
    await expect(lowered.prepare(engine, { level: 0 })).rejects.toThrow(/"pool": expected level >= 1, got 0/)
    const aborted = AbortSignal.abort()
    await expect(lowered.prepare(engine, { level: 2, signal: aborted })).rejects.toThrow(/"pool" was cancelled/)
    const prepared = await lowered.prepare(engine, { level: 2 })
    const { PackedTensor, pack } = await import('@he-ml/packing')
    const [values] = pack(createTensor([1, 4, 4]), layout)
    const at = (level: number, scale?: number) =>
      new PackedTensor(layout, [engine.encryptClear(values!, { level, ...(scale ? { scale } : {}) })])
    await expect(prepared.apply(engine, [at(3)])).rejects.toThrow(/"pool": prepared for level 2, got .* level 3/)
    await expect(prepared.apply(engine, [at(2, 2 ** 30)])).rejects.toThrow(/"pool": expected the nominal scale/)
    await expect(prepared.apply(engine, [])).rejects.toThrow(/"pool" takes 1 inputs, got 0/)
    await expect(prepared.apply(engine, [at(2)], { signal: aborted })).rejects.toThrow(/"pool" was cancelled/)
    const batch = new PackedTensor(createBatchLayout([1, 4, 4], { slots: 16 }), at(2).ciphertexts)
    await expect(prepared.apply(engine, [batch])).rejects.toThrow(
      /"pool": input 0 should be 1 ciphertexts in multiplexed/,
    )
    prepared.dispose()
  })
})
