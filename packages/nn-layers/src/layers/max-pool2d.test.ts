import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, type InputStatistics, isCalibrated, Model, type Shape } from '@he-ml/model'
import { createBatchLayout, createChannelLayout, createMultiplexedLayout, withGaps } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { checkLayer } from '../checking/index.ts'
import { maxPool2d, PairMaxLayer } from '../index.ts'
import { largestDifference, randomTensor } from '../testing/run-layer.ts'

const pooled = (shape: Shape, kernel: number | [number, number], stride?: number | [number, number]): Model =>
  new Model({
    name: 'pool',
    input: { name: 'image', shape },
    nodes: maxPool2d({ name: 'pool', input: 'image', shape, kernel, ...(stride ? { stride } : {}) }),
  })

/** By definition. */
function largest(
  [channels, height, width]: number[],
  data: Float64Array,
  [kh, kw]: number[],
  [sh, sw]: number[],
): number[] {
  const result: number[] = []
  for (let c = 0; c < channels!; c++)
    for (let y = 0; y + kh! <= height!; y += sh!)
      for (let x = 0; x + kw! <= width!; x += sw!) {
        let most = -Infinity
        for (let i = 0; i < kh!; i++)
          for (let k = 0; k < kw!; k++) most = Math.max(most, data[(c * height! + y + i) * width! + x + k]!)
        result.push(most)
      }
  return result
}

describe('maxPool2d', () => {
  it('is the maximum of every window, whatever its size and stride', () => {
    const shape = [2, 9, 8]
    const image = randomTensor(shape, 5)
    for (const kernel of [
      [1, 1],
      [2, 2],
      [3, 3],
      [2, 5],
      [4, 1],
      [7, 8],
      [1, 6],
    ] as const)
      for (const stride of [
        [1, 1],
        [2, 2],
        [3, 1],
        [1, 4],
      ] as const) {
        const got = pooled(shape, [...kernel], [...stride]).forward(image)
        const wanted = largest(shape, image.data, [...kernel], [...stride])
        expect(got.data).toHaveLength(wanted.length)
        for (const [i, v] of got.data.entries()) expect(v).toBeCloseTo(wanted[i]!, 14)
      }
  })

  it('takes ceil(log2 k) rounds per axis, and names the last', () => {
    const names = (kernel: number | [number, number]) => pooled([1, 9, 9], kernel).nodes.map(({ name }) => name)
    expect(names(2)).toEqual(['pool_columns1', 'pool'])
    expect(names(3)).toEqual(['pool_columns1', 'pool_columns2', 'pool_rows1', 'pool'])
    expect(names([1, 8])).toEqual(['pool_columns1', 'pool_columns2', 'pool'])
    expect(names(1)).toEqual(['pool'])
  })

  it('refuses windows that do not fit, naming the layer', () => {
    expect(() => maxPool2d({ name: 'pool', input: 'x', shape: [1, 3, 3], kernel: 4 })).toThrow(/"pool": a window of 4/)
    expect(() => maxPool2d({ name: 'pool', input: 'x', shape: [9], kernel: 2 })).toThrow(/"pool": expected an input/)
    expect(() => maxPool2d({ name: 'pool', input: 'x', shape: [1, 3, 3], kernel: 0 })).toThrow(InvalidArgumentError)
    const round = new PairMaxLayer({ name: 'round', apart: [0, 2], stride: [1, 1] })
    expect(() => round.forward([createTensor([1, 2, 2])])).toThrow(/"round": compares elements 0,2 rows/)
    expect(() => round.lower([createBatchLayout([1, 2, 3], { slots: 4 })])).toThrow(/"round" has no polynomial/)
  })
})

const shape = [2, 4, 4]
const statistics: InputStatistics = {
  count: 9,
  min: -1.5,
  max: 2,
  mean: 0,
  std: 1,
  histogram: new Float64Array(8).fill(1),
}
const multiplexed = createMultiplexedLayout(shape, { maxSlots: 512 })
const channel = createChannelLayout(shape, { slots: 64, images: 4 })
const layouts = [
  multiplexed,
  withGaps(multiplexed, 'any'),
  createMultiplexedLayout([2, 4, 4], { maxSlots: 16 }),
  createBatchLayout(shape, { slots: 4 }),
  channel,
  { ...channel, slots: 128, rowStride: 8, columnStride: 2, gaps: 'any' as const },
]

describe('a round', () => {
  it.each([
    ['columns, side by side', [0, 1], [1, 2], [2, 4, 2]],
    ['columns, overlapping', [0, 1], [1, 1], [2, 4, 3]],
    ['rows, two apart', [2, 0], [1, 1], [2, 2, 4]],
    ['rows, with a stride', [1, 0], [2, 1], [2, 2, 4]],
  ] as const)('of %s: the circuit computes forwardApproximate', async (_, apart, stride, output) => {
    const layer = new PairMaxLayer({ name: 'round', apart, stride })
    const fitted = layer.calibrate(statistics, { margin: 1, degree: 7 })
    const given = [1, 2].map((seed) =>
      createTensor(
        shape,
        randomTensor(shape, seed).data.map((v) => 0.7 * v),
      ),
    )
    const others = [layer, new PairMaxLayer({ name: 'other', apart, stride: [3, 3] })]
    for (const variant of [fitted, fitted.withInputFactor(1 / 1.75), fitted.withInputFactor(-0.5).scaleOutput(-0.25)]) {
      const factor = variant === fitted ? 1 : variant.inputScale === 1 ? 1 / 1.75 : -0.5
      const inputs = given.map((x) => [
        createTensor(
          shape,
          x.data.map((v) => v * factor),
        ),
      ])
      const checks = await checkLayer(variant, { inputs, layouts, others })
      const free = Number.isInteger(variant.inputScale) && variant.inputScale > 0
      expect(checks.map(({ depth }) => depth)).toEqual([4, 4, 4, free ? 3 : 4, 4, 4])
      expect(checks[0]!.output.shape).toEqual(output)
      const error = largestDifference(variant.forward(inputs[0]!), variant.forwardApproximate(inputs[0]!))
      expect(error).toBeLessThan(0.3)
      expect(error).toBeGreaterThan(0)
    }
  })

  it('observes differences, is channelwise and comes back from its form', () => {
    const layer = new PairMaxLayer({ name: 'round', apart: [0, 1], stride: [1, 2] })
    expect([...layer.observed([createTensor([1, 1, 4], Float64Array.of(1, 5, 7, 3))]).data]).toEqual([4, -4])
    expect(isCalibrated(layer)).toBe(true)
    expect(layer.calibrated).toBe(false)
    expect(layer.fittedRange).toBeUndefined()
  })
})
