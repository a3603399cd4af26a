import { UnsupportedError } from '@he-ml/ckks-core'
import { type ChannelLayout, createChannelLayout } from '@he-ml/packing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  activation,
  add,
  averagePool2d,
  batchNorm,
  conv2d,
  flatten,
  globalAveragePool,
  linear,
  reshape,
  select,
  sumPool2d,
} from '../index.ts'
import { pairOf, size } from '../testing/random-convolutions.ts'
import { expectLikeForward, fillGaps, randomTensor, runLayer, testContext } from '../testing/run-layer.ts'

const pooling = fc
  .record({
    channels: size(1, 3),
    image: pairOf(1, 8),
    kernel: pairOf(1, 4),
    stride: pairOf(1, 3),
    padding: pairOf(0, 1),
    countPadding: fc.boolean(),
    ceilMode: fc.boolean(),
    sum: fc.boolean(),
    gaps: fc.constantFrom('zero' as const, 'any' as const),
    seed: fc.nat(),
  })
  .filter(({ image, kernel, padding }) => [0, 1].every((a) => kernel[a]! <= image[a]! && padding[a]! < kernel[a]!))

const layout = createChannelLayout([3, 4, 4], { slots: 512 })
/** 4 x 4 elements two positions apart. */
const strided: ChannelLayout = { ...layout, images: 8, rowStride: 16, columnStride: 2 }
const context = (gaps: 'zero' | 'any') => ({ context: { maxSlots: 512, gaps } })

describe('pooling on a channel layout', () => {
  it('equals forward for every image, with the depth promised, or says that it does not fit', async () => {
    let ran = 0
    await fc.assert(
      fc.asyncProperty(pooling, fc.boolean(), size(1, 3), async (p, dirty, subBatches) => {
        const { kernel, stride, padding, countPadding, ceilMode, gaps, seed } = p
        const layer = (p.sum ? sumPool2d : averagePool2d)({
          name: 'p',
          kernel,
          stride,
          padding,
          countPadding,
          ceilMode,
        })
        const shape = [p.channels, ...p.image]
        const fresh = createChannelLayout(shape, { slots: 512, subBatches })
        const input = dirty ? fillGaps(fresh) : fresh
        try {
          const { lowered } = await expectLikeForward(layer, [input], { seed, ...context(gaps) })
          if (padding.every((x) => x === 0) && !ceilMode) expect(lowered.depth).toBe(p.sum ? 0 : 1)
          ran++
        } catch (error) {
          if (!(error instanceof UnsupportedError)) throw error
          expect(error.message).toMatch(/"p": its output .* does not fit .* positions/)
        }
      }),
      { numRuns: 80 },
    )
    expect(ran).toBeGreaterThan(60)
  })
  it('pools globally, from strided positions too, and a head reads the result', async () => {
    for (const input of [layout, fillGaps(strided)]) {
      const { lowered } = await expectLikeForward(globalAveragePool({ name: 'gap' }), [input], context('any'))
      const pooled = lowered.outputs[0] as ChannelLayout
      expect(pooled).toMatchObject({ shape: [3, 1, 1], gaps: 'any' })
      const flat = await expectLikeForward(flatten({ name: 'flat' }), [pooled])
      const list = flat.lowered.outputs[0] as ChannelLayout
      const head = linear({ name: 'fc', weights: randomTensor([10, 3], 2), bias: randomTensor([10], 3).data })
      const run = await expectLikeForward(head, [list], context('any'))
      expect(run.lowered.outputs[0]).toMatchObject({ shape: [10], image: [10, 1, 1], ciphertexts: 10 })
      await expectLikeForward(head, [list], context('zero'))
    }
  })
})

describe('fully connected layers on a channel layout', () => {
  it('read every position of every channel', async () => {
    for (const input of [layout, strided, fillGaps(strided)]) {
      const { lowered } = await expectLikeForward(flatten({ name: 'flat' }), [input])
      const list = lowered.outputs[0] as ChannelLayout
      const head = linear({ name: 'fc', weights: randomTensor([5, 48], 2), bias: randomTensor([5], 3).data })
      const run = await expectLikeForward(head, [list], context('any'))
      const next = linear({ name: 'fc2', weights: randomTensor([4, 5], 4) })
      await expectLikeForward(next, [run.lowered.outputs[0]!], context('any'))
    }
  })
  it('refuse what needs a weight per position and channel, by name', () => {
    const list = flatten({ name: 'flat' }).lower([layout]).outputs
    const bn = batchNorm({ name: 'bn', mean: new Float64Array(48), variance: new Float64Array(48).fill(1) })
    expect(() => bn.lower(list, testContext)).toThrow(
      /"bn" cannot run on a channel layout here: .*\[48,1,1\].*\[3,4,4\]/,
    )
  })
})

describe('slot by slot on a channel layout', () => {
  it('squares', async () => {
    const square = activation({ name: 'sq', function: 'square' })
    const { lowered } = await expectLikeForward(square, [strided])
    expect(lowered).toMatchObject({ depth: 1, outputs: [strided] })
    const bounded = { ...strided, gaps: 'bounded' } as const
    expect((await expectLikeForward(square, [bounded])).lowered.outputs[0]).toEqual(fillGaps(strided))
  })
  it('evaluates polynomials, and masks what gaps may hold of any size', async () => {
    const statistics = { count: 9, min: -1, max: 1, mean: 0, std: 1, histogram: new Float64Array(8) }
    const layer = activation({ name: 'act', function: 'relu' })
    if (layer.kind !== 'activation') throw new Error('expected an activation')
    const fitted = layer.calibrate(statistics, { margin: 1, degree: 7 })
    const x = [0, 1, 2].map((b) => randomTensor([3, 4, 4], b + 3))
    const images = x.map((image) => [image])
    const clean = await runLayer(fitted, images, [strided])
    const masked = await runLayer(fitted, images, [fillGaps(strided)], { gap: 1e5 })
    expect(clean.lowered.outputs[0]).toMatchObject({ gaps: 'bounded' })
    expect(masked.lowered.outputs[0]).toMatchObject({ gaps: 'bounded' })
    expect(masked.lowered.depth).toBe(clean.lowered.depth + 1)
    for (const run of [clean, masked])
      run.outputs.forEach((output, b) => {
        const wanted = fitted.forwardApproximate([x[b]!])
        output.data.forEach((v, i) => {
          expect(Math.abs(v - wanted.data[i]!)).toBeLessThan(1e-6)
        })
      })
    const full = createChannelLayout([3, 4, 4], { slots: 16 })
    expect(fitted.lower([full]).outputs[0]).toMatchObject({ gaps: 'zero' })
  })
  it('adds what lies alike, with the worse of the gaps, and says why not', async () => {
    const sum = add({ name: 'sum' })
    expect((await expectLikeForward(sum, [strided, fillGaps(strided)])).lowered.outputs[0]).toEqual(fillGaps(strided))
    expect(() => sum.lower([strided, { ...layout, images: 8 }], testContext)).toThrow(
      /"sum": its inputs lie in different slots, .*steps of 16 and 2 .* steps of 4 and 1 positions: give/,
    )
    const half = createChannelLayout([3, 4, 4], { slots: 512, subBatches: 2 })
    const merged = { ...half, subBatchOffsets: [0, 1], ciphertexts: 3 }
    expect(() => sum.lower([half, merged], testContext)).toThrow(
      /6 ciphertexts of 1 sub-batches and 1 channels each and 3 ciphertexts of 2 sub-batches .*smaller batch/,
    )
  })
})

describe('names on a channel layout', () => {
  it('change to any shape while the order stays, and back', async () => {
    const flat = await expectLikeForward(reshape({ name: 'r', shape: [6, 8] }), [strided])
    const back = await expectLikeForward(reshape({ name: 'r', shape: [3, 4, 4] }), [flat.lowered.outputs[0]!])
    expect(back.lowered.outputs[0]).toEqual(strided)
    const other = reshape({ name: 'r', shape: [12, 2, 2] }).lower([strided]).outputs
    const conv = conv2d({ name: 'conv', weights: randomTensor([1, 12, 1, 1], 1) })
    expect(() => conv.lower(other, testContext)).toThrow(/"conv" cannot run on a channel layout here/)
  })
  it('take channels in any order, and crop or thin out images', async () => {
    const turned = select({ name: 's', offset: 32, sizes: [2, 16], strides: [-32, 1], shape: [2, 4, 4] })
    expect((await expectLikeForward(turned, [strided])).lowered.outputs[0]).toMatchObject({
      ciphertexts: 2,
      gaps: 'zero',
    })
    const thin = select({ name: 's', sizes: [3, 2, 2], strides: [16, 8, 2] })
    const run = await expectLikeForward(thin, [strided])
    expect(run.lowered.outputs[0]).toMatchObject({ rowStride: 32, columnStride: 4, gaps: 'any' })
    const conv = conv2d({ name: 'conv', weights: randomTensor([2, 3, 2, 2], 1), padding: [1, 1, 0, 0] })
    await expectLikeForward(conv, [run.lowered.outputs[0]!])
  })
  it('refuse what would move elements, by name', () => {
    const late = select({ name: 'late', offset: 5, sizes: [3, 2, 2], strides: [16, 4, 1] })
    expect(() => late.lower([strided])).toThrow(/layer "late": \[3,2,2\] made of \[3,4,4\] in a channel layout/)
  })
})
