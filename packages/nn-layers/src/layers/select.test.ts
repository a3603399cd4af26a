import { createTensor } from '@he-ml/model'
import { createBatchLayout, createMultiplexedLayout, type MultiplexedLayout } from '@he-ml/packing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { activation, conv2d, linear, select, sumPool2d } from '../index.ts'
import { expectLikeForward, fillGaps, randomTensor } from '../testing/run-layer.ts'

const size = (min: number, max: number) => fc.integer({ min, max })

describe('select', () => {
  it('permutes axes: [rows, columns, channels] to [channels, rows, columns], by hand', () => {
    const x = createTensor([2, 2, 3], Float64Array.of(1, 10, 100, 2, 20, 200, 3, 30, 300, 4, 40, 400))
    const layer = select({ name: 'nchw', sizes: [3, 2, 2], strides: [1, 6, 3] })
    expect([...layer.forward([x]).data]).toEqual([1, 2, 3, 4, 10, 20, 30, 40, 100, 200, 300, 400])
    expect(layer.outputShape([[2, 2, 3]])).toEqual([3, 2, 2])
  })
  it('slices and turns, by hand', () => {
    const x = createTensor([6], Float64Array.of(0, 1, 2, 3, 4, 5))
    expect([...select({ name: 's', offset: 1, sizes: [2], strides: [3] }).forward([x]).data]).toEqual([1, 4])
    expect([...select({ name: 's', offset: 5, sizes: [6], strides: [-1] }).forward([x]).data]).toEqual([
      5, 4, 3, 2, 1, 0,
    ])
  })
  it('moves nothing in either layout, and what follows is right', async () => {
    await fc.assert(
      fc.asyncProperty(size(1, 6), size(1, 6), size(1, 4), size(0, 5), async (rows, columns, channels, which) => {
        const sizes = [rows, columns, channels]
        const strides = [columns * channels, channels, 1]
        const orders = [
          [2, 0, 1],
          [0, 1, 2],
          [1, 0, 2],
          [2, 1, 0],
          [0, 2, 1],
          [1, 2, 0],
        ]
        const order = orders[which]!
        const layer = select({
          name: 'turn',
          sizes: order.map((a) => sizes[a]!),
          strides: order.map((a) => strides[a]!),
        })
        const layout = createMultiplexedLayout(sizes, { maxSlots: 512 })
        const { lowered } = await expectLikeForward(layer, [fillGaps(layout)])
        expect(lowered.depth).toBe(0)
        const batch = await expectLikeForward(layer, [createBatchLayout(sizes, { slots: 2 })])
        expect(batch.lowered.depth).toBe(0)
        const turned = lowered.outputs[0] as MultiplexedLayout
        await expectLikeForward(sumPool2d({ name: 'pool', kernel: 'global' }), [turned])
        const weights = randomTensor([2, turned.shape[0]!, 1, 1], which)
        await expectLikeForward(conv2d({ name: 'conv', weights }), [turned])
      }),
      { numRuns: 40 },
    )
  })
  it('leaves what it cuts off as gaps, which activations mask', async () => {
    const layout = createMultiplexedLayout([4, 6, 6], { maxSlots: 512 })
    const layer = select({ name: 'cut', offset: 36, sizes: [2, 3, 2], strides: [36, 12, 2] })
    const { lowered } = await expectLikeForward(layer, [layout])
    const cut = lowered.outputs[0] as MultiplexedLayout
    expect(cut.grid).toMatchObject({ rowStride: 16, columnStride: 2, gaps: 'any' })
    const square = activation({ name: 'square', function: 'square' })
    expect((await expectLikeForward(square, [cut])).lowered.outputs[0]!).toMatchObject({ shape: [2, 3, 2] })
    await expectLikeForward(conv2d({ name: 'c', weights: randomTensor([3, 2, 3, 3], 1), padding: 1 }), [cut])
    await expectLikeForward(layer, [createBatchLayout([4, 6, 6], { slots: 4 })])
  })
  it('drops ciphertexts that hold nothing any more', async () => {
    const layout = createMultiplexedLayout([4, 8, 8], { maxSlots: 64 })
    const context = { maxSlots: 64 }
    const layer = select({ name: 'half', offset: 64, sizes: [2, 8, 8], strides: [128, 8, 1] })
    const { lowered } = await expectLikeForward(layer, [layout], { context })
    expect(lowered.outputs[0]!.ciphertexts).toBe(2)
    const flat = select({ name: 'flat', sizes: [4, 64], strides: [64, 1], shape: [256] })
    const list = await expectLikeForward(flat, [layout], { context })
    await expectLikeForward(linear({ name: 'fc', weights: randomTensor([3, 256], 2) }), [list.lowered.outputs[0]!], {
      context,
    })
  })
  it('refuses a channel that goes on in the next ciphertext, naming the layer', () => {
    // [rows, columns, channels] of 32 rows in 4 ciphertexts: window sums could not rotate from one to the next
    const layout = createMultiplexedLayout([32, 16, 4], { maxSlots: 512 })
    expect(layout.ciphertexts).toBe(4)
    const layer = select({ name: 'nchw', sizes: [4, 32, 16], strides: [1, 64, 4] })
    expect(() => layer.lower([layout])).toThrow(/"nchw": .*regular grid.*batch layout/)
  })
  it.each([
    ['an element twice', { sizes: [2, 2], strides: [1, 1] }, /"bad": .*twice/],
    ['sizes of another product', { sizes: [2], strides: [1], shape: [3] }, /"bad": sizes \[2\] and shape \[3\]/],
    ['strides that are missing', { sizes: [2, 2], strides: [1] }, /"bad": expected 2 integer strides/],
    ['nothing', { sizes: [0], strides: [1] }, /"bad": sizes/],
  ])('refuses %s, naming the layer', (_, options, message) => {
    expect(() => select({ name: 'bad', ...options })).toThrow(message)
  })
  it('refuses elements that the input does not have', () => {
    const layer = select({ name: 'far', offset: 3, sizes: [2], strides: [-4] })
    expect(() => layer.outputShape([[9]])).toThrow(/"far": it reads elements -1 to 3/)
    expect(() =>
      select({ name: 'far', sizes: [2], strides: [9] }).lower([createBatchLayout([9], { slots: 2 })]),
    ).toThrow(/the input \[9\] has 9/)
  })
})
