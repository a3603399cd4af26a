import { createPlanEngine, insecureParameters } from '@he-ml/ckks-core'
import type { Layer } from '@he-ml/model'
import { type ChannelLayout, createChannelLayout, type LowerContext, lowerLayer, PackedTensor } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { averagePool2d, conv2d, flatten, globalAveragePool, linear, sumPool2d } from '../index.ts'
import { fillGaps, randomTensor } from '../testing/run-layer.ts'

const parameters = insecureParameters({ logN: 10, levels: 4, scaleBits: 40, dnum: 5 })

/** What a layer does on the plan engine, and which rotations it wants keys for. */
async function planOf(layer: Layer, layout: ChannelLayout, gaps: LowerContext['gaps'] = 'zero') {
  const engine = createPlanEngine(parameters)
  const lowered = lowerLayer(layer, [layout], { maxSlots: 512, gaps })
  using prepared = await lowered.prepare(engine, { level: 2 })
  const inputs = Array.from({ length: layout.ciphertexts }, () => engine.input({ slots: layout.slots, level: 2 }))
  const [result] = await prepared.apply(engine, [new PackedTensor(layout, inputs)])
  const bits = engine.estimate(result!.ciphertexts[0]!).precisionBits
  const { totals, keyRequest } = engine.report()
  const { hoistedRotation = 0, rotate = 0, mulPlain = 0, mulScalar = 0, rescale = 0, encode = 0 } = totals
  const keys = keyRequest.rotations.map(({ steps }) => steps).sort((a, b) => a - b)
  return {
    bits,
    rotations: hoistedRotation + rotate,
    mulPlain,
    mulScalar,
    rescale,
    encode,
    keys,
    output: lowered.outputs[0],
  }
}

const layout = createChannelLayout([3, 8, 8], { slots: 512 })
const conv = (outputs: number, options: object = {}) =>
  conv2d({ name: 'c', weights: randomTensor([outputs, 3, 3, 3], 2), padding: 1, ...options })

describe('what a convolution on a channel layout does', () => {
  it('turns and masks each input channel eight times, for however many outputs', async () => {
    for (const outputs of [1, 40])
      expect(await planOf(conv(outputs), layout)).toMatchObject({
        rotations: 3 * 8,
        mulPlain: 3 * 8,
        mulScalar: 3,
        rescale: outputs,
        encode: 8,
      })
  })
  it('wants keys for shifts of positions only', async () => {
    const { keys } = await planOf(conv(2), layout)
    expect(keys).toEqual([1, 7, 8, 9, 55, 56, 57, 63].map((shift) => shift * 8))
    const strided = { ...layout, image: [3, 4, 4], shape: [3, 4, 4], rowStride: 16, columnStride: 2 } as const
    expect((await planOf(conv(2), strided, 'any')).keys).toEqual(
      [2, 14, 16, 18, 46, 48, 50, 62].map((shift) => shift * 8),
    )
  })
  it('masks only what crosses a border where gaps are zero', async () => {
    const strided = { ...layout, image: [3, 4, 4], shape: [3, 4, 4], rowStride: 16, columnStride: 2 } as const
    // left and right of a row lie gaps, but above the first row lies the last one: six of eight copies are wrong somewhere
    expect((await planOf(conv(2), strided, 'any')).mulPlain).toBe(3 * 6)
    expect((await planOf(conv(2), fillGaps(strided), 'any')).mulPlain).toBe(3 * 8)
    // with half of the positions empty rows wrap into zeros
    expect((await planOf(conv(2), { ...strided, images: 4 }, 'any')).mulPlain).toBe(0)
    expect((await planOf(conv(2), { ...layout, images: 4 }, 'any')).mulPlain).toBe(3 * 6)
  })
  it('masks results where they are fewer than the copies, and never both', async () => {
    const valid = (outputs: number) => conv(outputs, { padding: 0 })
    expect(await planOf(valid(2), layout, 'any')).toMatchObject({ mulPlain: 0, encode: 0 })
    expect(await planOf(valid(2), layout)).toMatchObject({ mulPlain: 2, encode: 1, mulScalar: 0 })
    expect(await planOf(valid(40), layout)).toMatchObject({ mulPlain: 3 * 9, encode: 9, mulScalar: 0 })
  })
  it('adds a bias by scalars where all positions are elements', async () => {
    expect(await planOf(conv(2, { bias: Float64Array.of(1, 2) }), layout)).toMatchObject({ encode: 8 })
    const strided = conv(2, { bias: Float64Array.of(1, 0), stride: 2 })
    expect((await planOf(strided, layout)).encode).toBe(9 + 1)
    expect((await planOf(strided, layout, 'any')).encode).toBe(5)
  })
  it('gives masks half of the scale, and all of it to weights where nothing is masked, or to masks where weights are integers', async () => {
    const sum = sumPool2d({ name: 's', kernel: 3, stride: 1, padding: 1 })
    for (const [layer, least, most] of [
      // -log2 of sqrt(g sqrt(2n K) / (6 T)), g = 3, n = 512, K = 27, T = 2^40
      [conv(2), 16.3, 17.3],
      [conv(2, { padding: 0 }), 23, 30],
      [sum, 23, 30],
    ] as const) {
      const { bits } = await planOf(layer, layout, 'any')
      expect(bits).toBeGreaterThan(least)
      expect(bits).toBeLessThan(most)
    }
  })
  it('pools by rotate-and-add', async () => {
    expect(await planOf(globalAveragePool({ name: 'g' }), layout, 'any')).toMatchObject({
      rotations: 3 * 6,
      rescale: 3,
    })
    const pool = averagePool2d({ name: 'p', kernel: 2 })
    expect(await planOf(pool, layout)).toMatchObject({ rotations: 3 * 2, mulPlain: 3, encode: 1 })
  })
  it('has a head without rotations after global pooling, and one product per position without', async () => {
    const one = { ...layout, image: [3, 1, 1], shape: [3], gaps: 'any' } as const
    const head = linear({ name: 'fc', weights: randomTensor([10, 3], 1) })
    expect(await planOf(head, one, 'any')).toMatchObject({ rotations: 0, mulPlain: 0, rescale: 10 })
    const flat = lowerLayer(flatten({ name: 'f' }), [layout], { maxSlots: 512 }).outputs[0] as ChannelLayout
    const wide = linear({ name: 'fc', weights: randomTensor([10, 192], 1) })
    expect(await planOf(wide, flat, 'any')).toMatchObject({ rotations: 3 * 63, mulPlain: 0, rescale: 10 })
  })
})
