import { createPlanEngine, insecureParameters, UnsupportedError } from '@he-ml/ckks-core'
import {
  type ChannelLayout,
  createChannelLayout,
  lowerLayer,
  mergeable,
  mergedLayout,
  PackedTensor,
} from '@he-ml/packing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchNorm, conv2d } from '../index.ts'
import { convolutions, makeConvolution } from '../testing/random-convolutions.ts'
import { expectLikeForward, fillGaps, randomTensor } from '../testing/run-layer.ts'

const gapsWanted = fc.constantFrom('zero' as const, 'any' as const)
const convolution = convolutions({ groups: 2, inputs: 3, padding: 2 })

const bias4 = Float64Array.of(0.5, -1, 0, 2)

const context = (gaps: 'zero' | 'any', pairs = true) => ({ context: { maxSlots: 512, gaps, pairs } })

describe('convolution on a channel layout', () => {
  it('equals forward for every image, whatever gaps hold and whatever is wanted of them, or says that it does not fit', async () => {
    let ran = 0
    await fc.assert(
      fc.asyncProperty(
        convolution,
        fc.boolean(),
        gapsWanted,
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        async (c, dirty, gaps, n, pairs) => {
          // two sub-batches travel as one, the third alone
          const layout = createChannelLayout([c.groups * c.inputs, ...c.image], { slots: 512, subBatches: n })
          const input = dirty ? fillGaps(layout) : layout
          const options = { seed: c.seed, ...context(gaps, pairs) }
          try {
            const run = await expectLikeForward(makeConvolution(c), [input], options)
            expect(run.lowered.depth).toBe(1)
            expect(run.lowered.outputs[0]).toMatchObject({ images: layout.images, slots: 512 })
            ran++
          } catch (error) {
            if (!(error instanceof UnsupportedError)) throw error
            expect(error.message).toMatch(/"conv": its output .* does not fit .* positions/)
          }
        },
      ),
      { numRuns: 120 },
    )
    expect(ran).toBeGreaterThan(80)
  })
  it('keeps a stride in place, and the next layers read from there', async () => {
    const layout = createChannelLayout([2, 8, 8], { slots: 512 })
    const down = conv2d({ name: 'down', weights: randomTensor([4, 2, 3, 3], 5), stride: 2, padding: 1 })
    for (const gaps of ['zero', 'any'] as const) {
      const { lowered } = await expectLikeForward(down, [layout], context(gaps))
      const output = lowered.outputs[0] as ChannelLayout
      expect(output).toMatchObject({ image: [4, 4, 4], images: 8, rowStride: 16, columnStride: 2, gaps })
      const next = conv2d({
        name: 'next',
        weights: randomTensor([3, 4, 3, 3], 6),
        padding: 1,
        bias: Float64Array.of(1, 2, 0),
      })
      await expectLikeForward(next, [output])
      await expectLikeForward(down.replace(randomTensor([4, 4, 3, 3], 7), undefined), [output])
    }
  })
  it('does the same to sub-batches that share a ciphertext, and to those that do not', async () => {
    const layout = createChannelLayout([2, 8, 8], { slots: 512, subBatches: 8 })
    const down = conv2d({ name: 'down', weights: randomTensor([4, 2, 3, 3], 5), stride: 2, padding: 1 })
    const { lowered } = await expectLikeForward(down, [layout])
    // eight sub-batches want the room of four: channels get none
    const apart = lowered.outputs[0] as ChannelLayout
    expect(apart).toMatchObject({ channelOffsets: [0], ciphertexts: 32, gaps: 'zero' })
    const merged = mergedLayout(apart, mergeable(apart, 8))
    expect(merged).toMatchObject({ subBatchOffsets: [0, 1, 8, 9], ciphertexts: 8 })
    const bias = Float64Array.of(1, 2, 0)
    const next = conv2d({ name: 'next', weights: randomTensor([3, 4, 3, 3], 6), padding: 1, bias })
    for (const gaps of ['zero', 'any'] as const) await expectLikeForward(next, [merged], context(gaps))
    const again = await expectLikeForward(down.replace(randomTensor([4, 4, 3, 3], 7), bias4), [merged])
    const deeper = again.lowered.outputs[0] as ChannelLayout
    expect(deeper.channelOffsets).toEqual([0, 2])
    expect(mergedLayout(deeper, mergeable(deeper, 2)).subBatchOffsets).toEqual([0, 1, 8, 9, 16, 17, 24, 25])
    await expectLikeForward(next, [deeper], context('any'))
  })
  it.each([true, false])('takes two groups as one by a conjugation, unless slots must stay real: %s', async (pairs) => {
    const engine = createPlanEngine(insecureParameters({ logN: 10, levels: 2, scaleBits: 40, dnum: 3 }))
    const layout = createChannelLayout([2, 8, 8], { slots: 512, subBatches: 2 })
    const layer = conv2d({ name: 'conv', weights: randomTensor([2, 2, 3, 3], 5), padding: 1 })
    const lowered = lowerLayer(layer, [layout], context('zero', pairs).context)
    const prepared = await lowered.prepare(engine, { level: 2 })
    const inputs = Array.from({ length: 4 }, () => engine.input({ slots: 512, level: 2 }))
    await prepared.apply(engine, [new PackedTensor(layout, inputs)])
    expect(engine.report().keyRequest.conjugation !== undefined).toBe(pairs)
  })
  it('leaves room to sub-batches, and gives channels the rest', async () => {
    const layout = createChannelLayout([2, 8, 8], { slots: 512, subBatches: 2 })
    const down = conv2d({ name: 'down', weights: randomTensor([4, 2, 3, 3], 5), stride: 2, padding: 1, bias: bias4 })
    const { lowered } = await expectLikeForward(down, [layout])
    const apart = lowered.outputs[0] as ChannelLayout
    expect(apart).toMatchObject({ channelOffsets: [0, 1], ciphertexts: 4 })
    const merged = mergedLayout(apart, mergeable(apart, 2))
    expect(merged).toMatchObject({ subBatchOffsets: [0, 8], ciphertexts: 2 })
    await expectLikeForward(conv2d({ name: 'next', weights: randomTensor([3, 4, 3, 3], 6), padding: 1 }), [merged])
  })
  it('does without copies that every output multiplies with zero', async () => {
    const layout = createChannelLayout([2, 4, 4], { slots: 512 })
    const weights = randomTensor([3, 2, 3, 3], 3)
    weights.data.forEach((_, i) => {
      if (i % 9 !== 4 && i % 9 !== 5) weights.data[i] = 0
    })
    await expectLikeForward(conv2d({ name: 'sparse', weights, padding: 1 }), [layout])
  })
  it('leaves no result without a second polynomial where weights are zero', async () => {
    const layout = createChannelLayout([2, 4, 4], { slots: 512 })
    const weights = randomTensor([3, 2, 3, 3], 3)
    // a row of zeros becomes one unit of the weights' scale: some millionths of a value
    for (const end of [36, 54]) {
      weights.data.fill(0, 18, end)
      if (end === 54) weights.data.fill(0)
      const run = await expectLikeForward(conv2d({ name: 'zeros', weights, padding: 1 }), [layout], { tolerance: 1e-5 })
      for (const vector of run.vectors) expect(vector.some((v) => v !== 0)).toBe(true)
    }
  })
  it('reads more channels than it holds copies of at a time', async () => {
    const layout = createChannelLayout([20, 4, 4], { slots: 512 })
    await expectLikeForward(conv2d({ name: 'deep', weights: randomTensor([3, 20, 3, 3], 4), padding: 1 }), [layout])
  })
  it('normalises each channel, in one level and without rotations', async () => {
    const layout = createChannelLayout([3, 4, 4], { slots: 512 })
    const bn = batchNorm({
      name: 'bn',
      mean: randomTensor([3], 1).data,
      variance: Float64Array.of(1, 2, 3),
      beta: Float64Array.of(0, 1, 2),
    })
    const { lowered } = await expectLikeForward(bn, [layout])
    expect(lowered.outputs[0]).toEqual(layout)
  })
})
