/** Several channels in a ciphertext: where they lie, and every layer that reads them so. */
import { createPlanEngine, insecureParameters, UnsupportedError } from '@he-ml/ckks-core'
import { type ChannelLayout, createChannelLayout, layoutPositions, lowerLayer, parseLayout } from '@he-ml/packing'
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
import { hasGaps } from '../lowered/channel-positions.ts'
import { convolutions, makeConvolution, size } from '../testing/random-convolutions.ts'
import { expectLikeForward, fillGaps, randomTensor } from '../testing/run-layer.ts'
import { folded, unfolded } from './fold.ts'

const context = (gaps: 'zero' | 'any') => ({ context: { maxSlots: 512, gaps } })

/** Elements so many positions apart, as strides leave them of a larger image. */
function strided(shape: readonly [number, number, number], down: number, across: number): ChannelLayout {
  const [channels, height, width] = shape
  const whole = createChannelLayout([channels, height * down, width * across], { slots: 512 })
  return { ...whole, shape, image: shape, rowStride: whole.rowStride * down, columnStride: across }
}

const [five, sixteen] = [strided([5, 4, 4], 2, 2), strided([16, 2, 2], 4, 4)].map(folded) as [
  ChannelLayout,
  ChannelLayout,
]

describe('channels in the gaps of others', () => {
  it('fill them as far as there are channels', () => {
    expect(five).toMatchObject({ channelOffsets: [0, 1, 8, 9], ciphertexts: 2, rowStride: 16, columnStride: 2 })
    expect(hasGaps(five)).toBe(true)
    expect(sixteen).toMatchObject({ ciphertexts: 1 })
    expect(sixteen.channelOffsets).toHaveLength(16)
    expect(folded(strided([3, 4, 4], 2, 2), 1).channelOffsets).toEqual([0, 1, 8])
    expect(folded(createChannelLayout([3, 8, 8], { slots: 512 }), 1).channelOffsets).toEqual([0])
    expect(hasGaps(folded(strided([8, 4, 4], 2, 2), 1))).toBe(false)
  })

  it('never meet, stay within the slots, and come back from JSON', () => {
    fc.assert(
      fc.property(
        fc.tuple(size(1, 20), size(1, 5), size(1, 5)),
        size(1, 3),
        size(1, 3),
        ([c, height, width], down, across) => {
          const one = strided([c, height, width], down, across)
          const layout = folded(one, 1)
          const positions = layoutPositions(layout)
          expect(new Set(positions).size).toBe(c * height * width)
          expect(Math.max(...positions)).toBeLessThan(layout.ciphertexts * layout.slots)
          expect(parseLayout(JSON.parse(JSON.stringify(layout)))).toEqual(layout)
          expect({ ...unfolded(layout), gaps: 'zero' }).toEqual(one)
        },
      ),
    )
  })

  it('are refused in files where they meet, or do not begin in the first slot', () => {
    const refuse = (change: object) => () => parseLayout({ ...JSON.parse(JSON.stringify(five)), ...change })
    expect(refuse({ channelOffsets: [0, 1, 8, 2] })).toThrow(/two elements lie at/)
    expect(refuse({ channelOffsets: [1, 0, 8, 9] })).toThrow(/the first of them 0/)
    expect(refuse({ channelOffsets: [0, 1, 8, 1000] })).toThrow(/needs \d+ slots/)
    expect(refuse({ channelOffsets: [] })).toThrow(/layout.channelOffsets/)
    expect(refuse({ ciphertexts: 5 })).toThrow(/layout.ciphertexts/)
  })
})

describe('layers that read several channels in a ciphertext', () => {
  it('convolve like forward, whatever gaps hold and whatever is wanted of them', async () => {
    const convolution = convolutions({ groups: 2, inputs: 4, padding: 1 })
    const most = fc.constantFrom('zero' as const, 'any' as const)
    let ran = 0
    await fc.assert(
      fc.asyncProperty(convolution, fc.boolean(), most, async (c, dirty, gaps) => {
        const image = c.image.map((n) => Math.min(n, 4)) as [number, number]
        const clipped = { ...c, image, kernel: c.kernel.map((k, a) => Math.min(k, image[a]!)) as [number, number] }
        fc.pre([0, 1].every((a) => c.dilation[a]! * (clipped.kernel[a]! - 1) + 1 <= image[a]!))
        fc.pre([0, 1].every((a) => c.padding[a]! < clipped.kernel[a]!))
        const layout = folded(strided([c.groups * c.inputs, ...image], 2, 2), 1)
        const input = dirty ? fillGaps(layout) : layout
        try {
          const run = await expectLikeForward(makeConvolution(clipped), [input], { seed: c.seed, ...context(gaps) })
          expect(run.lowered.depth).toBe(1)
          if (input.channelOffsets.length > 1) ran++
        } catch (error) {
          if (!(error instanceof UnsupportedError)) throw error
          expect(error.message).toMatch(/"conv": its output .* does not fit .* positions/)
        }
      }),
      { numRuns: 100 },
    )
    expect(ran).toBeGreaterThan(30)
  })

  it('leave them so where zeros are wanted in gaps, one after the other', async () => {
    const down = conv2d({
      name: 'down',
      weights: randomTensor([8, 2, 3, 3], 5),
      stride: 2,
      padding: 1,
      bias: randomTensor([8], 6).data,
    })
    const first = await expectLikeForward(down, [createChannelLayout([2, 8, 8], { slots: 512 })], context('zero'))
    const output = first.lowered.outputs[0] as ChannelLayout
    expect(output).toMatchObject({ ciphertexts: 2, channelOffsets: [0, 1, 8, 9], gaps: 'zero' })
    const again = conv2d({ name: 'again', weights: randomTensor([16, 8, 3, 3], 7), stride: 2, padding: 1 })
    const second = await expectLikeForward(again, [output], context('zero'))
    expect(second.lowered.outputs[0]).toMatchObject({ ciphertexts: 1, image: [16, 2, 2] })
    const alone = await expectLikeForward(again, [output], context('any'))
    expect(alone.lowered.outputs[0]).toMatchObject({ ciphertexts: 16, channelOffsets: [0] })
  })

  it.each([five, fillGaps(five), sixteen])('normalise, pool and end in a head', async (input) => {
    const [channels] = input.image
    const bn = batchNorm({
      name: 'bn',
      mean: randomTensor([channels], 1).data,
      variance: randomTensor([channels], 2).data.map((v) => 1 + v * v),
    })
    for (const gaps of ['zero', 'any'] as const) {
      await expectLikeForward(bn, [input], context(gaps))
      const average = await expectLikeForward(averagePool2d({ name: 'p', kernel: 2 }), [input], context(gaps))
      expect(average.lowered.outputs[0]!.ciphertexts).toBe(input.ciphertexts)
      const around = sumPool2d({ name: 's', kernel: 3, stride: 1, padding: 1 })
      if (input.image[1] > 2) await expectLikeForward(around, [input], context(gaps))
      const pooled = await expectLikeForward(globalAveragePool({ name: 'g' }), [input], context(gaps))
      const flat = await expectLikeForward(flatten({ name: 'flat' }), [pooled.lowered.outputs[0]!])
      const head = linear({ name: 'fc', weights: randomTensor([3, channels], 3), bias: randomTensor([3], 4).data })
      await expectLikeForward(head, [flat.lowered.outputs[0]!], context(gaps))
    }
  })

  it('square and evaluate polynomials, masking what gaps may hold', async () => {
    await expectLikeForward(activation({ name: 'sq', function: 'square' }), [five])
    const statistics = { count: 9, min: -1, max: 1, mean: 0, std: 1, histogram: new Float64Array(8) }
    const relu = activation({ name: 'act', function: 'relu' })
    if (relu.kind !== 'activation') throw new Error('expected an activation')
    const fitted = relu.calibrate(statistics, { margin: 1, degree: 7 })
    const twin = { ...fitted, forward: fitted.forwardApproximate.bind(fitted), lower: fitted.lower.bind(fitted) }
    for (const input of [five, fillGaps(five), sixteen])
      await expectLikeForward(twin as typeof fitted, [input], { tolerance: 1e-6 })
  })

  it('add what lies alike, and take apart what lies apart', async () => {
    const sum = add({ name: 'sum' })
    expect((await expectLikeForward(sum, [five, fillGaps(five)])).lowered.outputs[0]).toEqual(fillGaps(five))
    const one = strided([5, 4, 4], 2, 2)
    for (const sides of [
      [five, one],
      [fillGaps(one), five],
    ]) {
      const { lowered } = await expectLikeForward(sum, sides)
      expect(lowered).toMatchObject({ depth: 0, outputs: [{ ciphertexts: 5, channelOffsets: [0], gaps: 'any' }] })
    }
    const other = { ...folded(strided([5, 4, 4], 4, 1), 1), images: five.images }
    expect(() => sum.lower([five, other], { maxSlots: 512 })).toThrow(/"sum": its inputs lie in different slots/)
  })

  it('rename them in any shape, thin out images, keep whole ciphertexts, and refuse the rest by name', async () => {
    const flat = await expectLikeForward(reshape({ name: 'r', shape: [10, 8] }), [five])
    const back = await expectLikeForward(reshape({ name: 'r', shape: [5, 4, 4] }), [flat.lowered.outputs[0]!])
    expect(back.lowered.outputs[0]).toEqual(five)
    const thin = select({ name: 's', sizes: [5, 2, 2], strides: [16, 8, 2] })
    const run = await expectLikeForward(thin, [five])
    expect(run.lowered.outputs[0]).toMatchObject({ rowStride: 32, columnStride: 4, gaps: 'any', ciphertexts: 2 })
    await expectLikeForward(conv2d({ name: 'c', weights: randomTensor([2, 5, 2, 2], 1) }), [run.lowered.outputs[0]!])
    const first = select({ name: 's', sizes: [3, 4, 4], strides: [16, 4, 1] })
    expect((await expectLikeForward(first, [five])).lowered.outputs[0]).toMatchObject({ ciphertexts: 1, gaps: 'any' })
    const turned = select({ name: 'turned', offset: 16, sizes: [2, 4, 4], strides: [16, 4, 1] })
    expect(() => turned.lower([five])).toThrow(/layer "turned": .* in a channel layout is no choice of whole/)
  })
})

it('costs a rotation for each channel on its way in and out, and one decomposition for those of a ciphertext', async () => {
  const engine = createPlanEngine(insecureParameters({ logN: 10, levels: 4, scaleBits: 40, dnum: 5 }))
  const input = folded(strided([8, 4, 4], 2, 2), 1)
  const conv = conv2d({ name: 'c', weights: randomTensor([8, 8, 1, 1], 2) })
  const lowered = lowerLayer(conv, [input], { maxSlots: 512, gaps: 'zero' })
  using prepared = await lowered.prepare(engine, { level: 2 })
  const ciphertexts = Array.from({ length: 2 }, () => engine.input({ slots: 512, level: 2 }))
  await prepared.apply(engine, [{ layout: input, ciphertexts } as never])
  const { totals } = engine.report()
  expect(totals).toMatchObject({ decompose: 2, hoistedRotation: 6, rotate: 6 })
})
