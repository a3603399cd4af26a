import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, type InputStatistics } from '@he-ml/model'
import {
  type ChannelLayout,
  createBatchLayout,
  createChannelLayout,
  createMultiplexedLayout,
  type SlotLayout,
} from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { ActivationLayer, type PreluLayer, prelu } from '../index.ts'
import { fillGaps, largestDifference, randomTensor, runLayer } from '../testing/run-layer.ts'

const statistics: InputStatistics = {
  count: 100,
  min: -3,
  max: 4,
  mean: 0,
  std: 1,
  histogram: new Float64Array(14).fill(1),
}
const shape = [3, 2, 2]
const make = (...slopes: number[]): PreluLayer =>
  prelu({ name: 'act', slopes: Float64Array.from(slopes) }) as PreluLayer
const fitted = (...slopes: number[]): PreluLayer => make(...slopes).calibrate(statistics, { margin: 1, degree: 7 })
const within = (factor: number, seed = 3) =>
  createTensor(
    shape,
    randomTensor(shape, seed).data.map((v) => factor * (0.5 + 3.5 * v)),
  )

const image = createMultiplexedLayout(shape, { maxSlots: 512 })
const plain = createChannelLayout(shape, { slots: 64, images: 4 })
/** Behind a stride: two channels in each ciphertext. */
const shared: ChannelLayout = { ...plain, rowStride: 4, columnStride: 2, channelOffsets: [0, 1], ciphertexts: 2 }
const layouts: readonly (readonly [string, SlotLayout, boolean])[] = [
  ['multiplexed', image, false],
  ['multiplexed, gaps of any size', fillGaps(image), false],
  ['batch', createBatchLayout(shape, { slots: 4 }), true],
  ['channel', plain, true],
  ['channel, gaps of any size', fillGaps(createChannelLayout(shape, { slots: 128, images: 4 })), true],
  ['channels that share ciphertexts', fillGaps(shared), false],
]

describe('prelu', () => {
  it('is a leaky ReLU with one slope', () => {
    const one = prelu({ name: 'act', slopes: Float64Array.of(0.2) })
    expect(one).toBeInstanceOf(ActivationLayer)
    expect([...one.forward([createTensor([2], Float64Array.of(-1, 3))]).data]).toEqual([-0.2, 3])
  })

  it.each(layouts)('%s: the circuit computes forwardApproximate', async (_, layout, own) => {
    for (const [slopes, signs] of [
      [[0.1, 0.25, -0.5], 0],
      [[0, 0, 0.5], 0],
      [[0.5, 1, 2], 1],
      [[1.5, 2, 3], 1],
    ] as const) {
      const layer = fitted(...slopes)
      for (const variant of [layer, layer.withInputFactor(1 / 3.5), layer.withInputFactor(2).scaleOutput(-0.25)]) {
        const factor = (variant.fittedRange![1] - variant.fittedRange![0]) / 7
        const x = within(factor)
        const images = layout.kind === 'multiplexed' ? [[x]] : [[x], [within(factor, 4)]]
        const run = await runLayer(variant, images, [layout])
        for (const [b, given] of images.entries())
          expect(largestDifference(run.outputs[b]!, variant.forwardApproximate(given))).toBeLessThan(1e-9)
        const free =
          Number.isInteger(variant.inputScale) && !(layout.kind !== 'batch' && JSON.stringify(layout).includes('"any"'))
        expect(run.lowered.depth).toBe(3 + (own ? (free ? 0 : 1) : 1 + signs))
      }
    }
  })

  it('takes a composite, with factors', async () => {
    const layer = make(0.1, 0.25, -0.5).calibrate(statistics, {
      margin: 1,
      degree: 255,
      error: 0.05,
      method: 'composite',
    })
    for (const [variant, factor] of [
      [layer, 1],
      [layer.scaleOutput(-0.5).withInputFactor(1 / 4), 1 / 4],
    ] as const)
      for (const [, layout] of layouts) {
        const x = within(factor)
        const run = await runLayer(variant, [[x]], [layout], { level: 8 })
        expect(largestDifference(run.outputs[0]!, variant.forwardApproximate([x]))).toBeLessThan(1e-9)
      }
  })

  it('is as good as the polynomial of a ReLU', () => {
    const layer = fitted(0.1, 0.25, -0.5)
    const x = within(1)
    expect(largestDifference(layer.forward([x]), layer.forwardApproximate([x]))).toBeLessThan(0.4)
    expect(layer.forward([x]).data.some((v) => v < -0.1)).toBe(true)
  })

  it('is found again in its fitted form, and told apart by its slopes', () => {
    const layer = fitted(0.1, 0.25, -0.5).withInputFactor(0.3).scaleOutput(2)
    const again = make(0.1, 0.25, -0.5).withFittedForm(JSON.parse(JSON.stringify(layer.fittedForm)))
    expect(again.forwardApproximate([within(0.3)])).toEqual(layer.forwardApproximate([within(0.3)]))
    expect(again.digestParts()).toEqual(layer.digestParts())
    expect(make(0.1, 0.25, -0.5).digestParts()).not.toEqual(make(0.1, 0.25, 0.5).digestParts())
    expect(again.calibrated).toBe(true)
  })

  it('says what is wrong, naming the layer', () => {
    expect(() => make()).toThrow(/"act": expected slopes, got none/)
    expect(() => make(1, 1)).toThrow(/"act": expected slopes other than 1/)
    expect(() => make(1, Number.NaN)).toThrow(InvalidArgumentError)
    expect(() => make(0.1, 0.2).lower([image])).toThrow(/"act": expected 2 channels.*\[3,2,2\]/)
    expect(() => make(0.1, 0.2, 0.3).lower([image])).toThrow(/"act" has no polynomial/)
    expect(make(0.1, 0.2).calibrated).toBe(false)
  })
})
