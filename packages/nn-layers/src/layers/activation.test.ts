import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { createTensor, type InputStatistics } from '@he-ml/model'
import {
  type ChannelLayout,
  createBatchLayout,
  createChannelLayout,
  createMultiplexedLayout,
  type MultiplexedLayout,
} from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import {
  type ActivationLayer,
  type ActivationLayerFunction,
  activation,
  clip,
  customActivation,
  elu,
  hardSigmoid,
  leakyRelu,
} from '../index.ts'
import { expectLikeForward, fillGaps, largestDifference, randomTensor, runLayer } from '../testing/run-layer.ts'

const statistics: InputStatistics = {
  count: 100,
  min: -3,
  max: 4,
  mean: 0,
  std: 1,
  histogram: new Float64Array(14).fill(1),
}
const make = (fn: ActivationLayerFunction): ActivationLayer =>
  activation({ name: 'act', function: fn }) as ActivationLayer
const image = createMultiplexedLayout([2, 3, 3], { maxSlots: 512 })
const layouts = [
  image,
  { ...image, grid: { ...image.grid, gaps: 'bounded' as const } },
  fillGaps(image),
  createBatchLayout([5], { slots: 4 }),
]

describe('square', () => {
  it.each(layouts)('is exact and takes one level ($kind)', async (layout) => {
    const { lowered } = await expectLikeForward(activation({ name: 'sq', function: 'square' }), [layout])
    expect(lowered.depth).toBe(1)
  })
})

describe('activation', () => {
  it.each(['relu', 'silu', 'sigmoid', 'tanh', 'gelu'] as const)(
    '%s: the circuit computes forwardApproximate',
    async (fn) => {
      const layer = make(fn).calibrate(statistics, { margin: 1.25, degree: 7 })
      const [half, middle] = fn === 'tanh' ? [5, 0] : [4.375, 0.625]
      expect(layer.halfRange).toBe(half)
      expect(layer.inputScale).toBeCloseTo(1 / half, 15)
      for (const [normalized, factor] of [
        [false, 1],
        [true, 1],
        [true, -0.25],
      ] as const) {
        let variant = factor === 1 ? layer : layer.scaleOutput(factor)
        if (normalized) variant = variant.withInputFactor(1 / half)
        for (const layout of layouts) {
          const x = createTensor(
            layout.shape,
            randomTensor(layout.shape, 3).data.map((v) => (normalized ? v + middle / half : half * v + middle)),
          )
          const masked = layout.kind === 'multiplexed' && layout.grid.gaps === 'any'
          const run = await runLayer(variant, [[x]], [layout])
          expect(run.lowered.depth).toBe(3 + (normalized && !masked ? 0 : 1))
          expect(largestDifference(run.outputs[0]!, variant.forwardApproximate([x]))).toBeLessThan(1e-9)
          expect(largestDifference(variant.forward([x]), variant.forwardApproximate([x]))).toBeLessThan(
            0.5 * Math.abs(factor),
          )
          if (run.lowered.outputs[0]!.kind === 'multiplexed')
            checkGaps(run.vectors, run.lowered.outputs[0]!, fn, factor)
        }
      }
    },
  )
  it.each([
    ['softplus', 'softplus', 0.05],
    ['hardSwish', 'hardSwish', 0.1],
    ['leakyRelu', leakyRelu(0.1), 0.3],
    ['elu', elu(), 0.2],
    ['hardSigmoid', hardSigmoid(), 0.1],
    ['clip', clip(0, 2), 0.2],
    ['clip, odd', clip(-1.5, 1.5), 0.2],
    ['a function of our own', customActivation({ name: 'bell', evaluate: (x) => Math.exp((-x * x) / 4) }), 0.05],
  ] as const)('%s: the circuit computes forwardApproximate, and that is near', async (_, fn, error) => {
    const layer = activation({ name: 'act', function: fn }) as ActivationLayer
    const fitted = layer.calibrate(statistics, { margin: 1, degree: 11 })
    const again = layer.withFittedForm(JSON.parse(JSON.stringify(fitted.fittedForm)))
    for (const variant of [fitted, again.scaleOutput(-0.5).withInputFactor(1 / fitted.halfRange)])
      for (const layout of layouts) {
        const x = createTensor(
          layout.shape,
          randomTensor(layout.shape, 5).data.map((v) => (0.5 + 3.4 * v) * variant.inputFactor),
        )
        const run = await runLayer(variant, [[x]], [layout])
        expect(largestDifference(run.outputs[0]!, variant.forwardApproximate([x]))).toBeLessThan(1e-9)
        expect(largestDifference(variant.forward([x]), variant.forwardApproximate([x]))).toBeLessThan(error)
      }
  })
  it('tells functions of one name apart, and refuses the polynomial of another', () => {
    const own = (evaluate: (x: number) => number) =>
      activation({ name: 'act', function: customActivation({ name: 'own', evaluate }) }) as ActivationLayer
    expect(own(Math.cos).digestParts()).toEqual(own(Math.cos).digestParts())
    expect(own(Math.cos).digestParts()).not.toEqual(own(Math.atan).digestParts())
    expect(() => activation({ name: 'act', function: leakyRelu(Number.NaN) })).toThrow(/leakyRelu/)
    const [one, other] = [0.1, 0.2].map(
      (slope) => activation({ name: 'act', function: leakyRelu(slope) }) as ActivationLayer,
    )
    const form = one!.calibrate(statistics, { margin: 1, degree: 7 }).fittedForm!
    expect(() => other!.withFittedForm(form)).toThrow(
      /expected a polynomial for leakyRelu\(0.2\), got one for leakyRelu\(0.1\)/,
    )
  })
  it('takes a composite ReLU, with a factor', async () => {
    const layer = make('relu').calibrate(statistics, { margin: 1, degree: 255, error: 0.05, method: 'composite' })
    for (const variant of [layer, layer.scaleOutput(0.25).withInputFactor(1 / 4)]) {
      const x = createTensor(
        [5],
        Float64Array.of(-3.5, -1, 0.5, 1, 3.9).map((v) => v * variant.inputFactor),
      )
      const run = await runLayer(variant, [[x]], [createMultiplexedLayout([5], { maxSlots: 512 })], { level: 8 })
      expect(largestDifference(run.outputs[0]!, variant.forwardApproximate([x]))).toBeLessThan(1e-9)
      expect(largestDifference(run.outputs[0]!, variant.forward([x]))).toBeLessThan(0.2)
    }
    expect(() => layer.scaleOutput(-1).lower([image])).toThrow(/"act": a composite/)
  })
  it('multiplies by integers for free, and widens its range a little to come by one', async () => {
    const layer = make('relu').calibrate(statistics, { margin: 1, degree: 7 }) // half range 3.5
    for (const [factor, scale, half] of [
      [1 / 10.5, 3, 3.5],
      [1 / 11, 3, 11 / 3],
      [1 / 3.7, 1, 3.7],
      [-1 / 4, -4 / 3.5, 3.5],
      [1 / 5, 5 / 3.5, 3.5],
      [1, 1 / 3.5, 3.5],
    ] as const) {
      const variant = layer.withInputFactor(factor)
      expect(variant.inputScale).toBeCloseTo(scale, 12)
      expect(variant.halfRange).toBeCloseTo(half, 12)
      const x = createTensor(
        [5],
        Float64Array.of(-2.9, -1, 0.5, 1, 3.9).map((v) => v * factor),
      )
      const run = await runLayer(variant, [[x]], [createMultiplexedLayout([5], { maxSlots: 512 })])
      expect(run.lowered.depth).toBe(Number.isInteger(variant.inputScale) ? 3 : 4)
      expect(largestDifference(run.outputs[0]!, variant.forwardApproximate([x]))).toBeLessThan(1e-9)
      expect(largestDifference(variant.forward([x]), variant.forwardApproximate([x]))).toBeLessThan(0.5)
    }
    // a polynomial that was given cannot be found again
    const given = activation({ name: 'act', function: 'relu', polynomial: layer.polynomial! }) as ActivationLayer
    expect(given.withInputFactor(1 / 11).halfRange).toBe(3.5)
    expect(given.withInputFactor(1 / 10.5).inputScale).toBe(3)
  })
  it('chooses the smallest degree that meets an error, by any method', () => {
    const layer = make('tanh').calibrate(statistics, { margin: 1, degree: 63, error: 0.01 })
    expect(layer.polynomial!.certifiedError).toBeLessThanOrEqual(0.04)
    expect(layer.polynomial!.degree).toBeLessThan(31)
    for (const method of ['remez', 'chebyshev', 'least-squares'] as const)
      expect(make('silu').calibrate(statistics, { margin: 1, degree: 9, method }).polynomial!.method).toBe(method)
  })
  it('says what is missing, naming the layer', () => {
    const layer = make('relu')
    expect(layer.calibrated).toBe(false)
    expect(layer.inputScale).toBe(1)
    expect(() => layer.lower([image])).toThrow(/"act" has no polynomial/)
    expect(() => layer.withInputFactor(2)).toThrow(/"act" has no polynomial/)
    expect(() => layer.calibrate(statistics, { margin: 0.5, degree: 7 })).toThrow(/"act": the margin/)
    expect(() => layer.calibrate({ ...statistics, count: 0 }, { margin: 1, degree: 7 })).toThrow(/"act": no usable/)
    expect(() => layer.calibrate(statistics, { margin: 1, degree: 5, error: 1e-6 })).toThrow(/"act": no polynomial/)
    expect(() => activation({ name: 'act', function: 'sign' as 'relu' })).toThrow(/"act": sign/)
    expect(() => activation({ name: 'act', function: 'swish' as 'relu' })).toThrow(/swish/)
  })
})

function checkGaps(vectors: readonly Float64Array[], layout: MultiplexedLayout, fn: string, factor: number): void {
  const odd = fn === 'tanh'
  const places = new Set([0, 1, 2].flatMap((y) => [0, 1, 2].flatMap((x) => [0, 16].map((c) => c + 4 * y + x))))
  vectors[0]!.forEach((v, s) => {
    if (!places.has(s % layout.slots)) expect(Math.abs(v)).toBeLessThan(odd ? 1e-9 : Math.abs(factor))
  })
  expect(['zero', 'bounded']).toContain(layout.grid.gaps)
}

describe('polynomials of single channels', () => {
  const channels = 6
  /** Channel c has its values near c / 3 - 1, on a range from -3 to 4. */
  const counts = Array.from({ length: channels }, (_, c) =>
    Float64Array.from({ length: 64 }, (_, i) =>
      Math.round(1e5 * Math.exp(-((((i + 0.5) / 8 - 4 - c / 3 + 1) / 0.3) ** 2))),
    ),
  )
  const seen: InputStatistics = {
    ...statistics,
    histogram: new Float64Array(14).fill(1e4),
    channels: { half: 4, counts },
  }
  const options = { margin: 1.25, degree: 7, method: 'least-squares' } as const
  const fitted = make('relu').calibrate(seen, options)
  const plain = createChannelLayout([channels, 2, 2], { slots: 64, images: 4 })
  /** Behind a stride: two channels in each ciphertext. */
  const shared: ChannelLayout = {
    ...plain,
    rowStride: 4,
    columnStride: 2,
    channelOffsets: [0, 1],
    ciphertexts: 3,
    gaps: 'bounded',
  }
  const near = (seed: number, spread = 0.2) =>
    createTensor(
      [channels, 2, 2],
      randomTensor([channels, 2, 2], seed).data.map((v, i) => spread * v + Math.floor(i / 4) / 3 - 1),
    )

  it.each([
    ['a channel in a ciphertext', plain, 6],
    ['two channels in a ciphertext', shared, 3],
    ['an element in a ciphertext', createBatchLayout([channels, 2, 2], { slots: 4 }), 6],
  ] as const)('%s: the circuit computes forwardApproximate', async (_, layout, groups) => {
    const own = fitted.suited([layout])
    expect(own.channels!.coefficients).toHaveLength(groups)
    expect(fitted.suited([layout])).toBe(own)
    const given = [1, 2, 3].map((seed) => [near(seed)])
    for (const layer of [own, own.scaleOutput(-0.25), own.withFittedForm(JSON.parse(JSON.stringify(own.fittedForm)))]) {
      const run = await runLayer(layer, given, [layout])
      expect(run.lowered.depth).toBe(fitted.lower([layout]).depth)
      for (const [b, images] of given.entries())
        expect(largestDifference(run.outputs[b]!, layer.forwardApproximate(images))).toBeLessThan(1e-9)
    }
  })

  it('are better where the values lie, and bounded elsewhere', () => {
    const own = fitted.suited([plain])
    const error = (layer: ActivationLayer, c: number, x: ReturnType<typeof near>) => {
      const [wanted, got] = [layer.forward([x]).data, layer.forwardApproximate([x]).data]
      return Math.sqrt(wanted.slice(4 * c, 4 * c + 4).reduce((sum, w, i) => sum + (w - got[4 * c + i]!) ** 2, 0) / 4)
    }
    const total = (layer: ActivationLayer, spread: number) =>
      Math.hypot(
        ...Array.from({ length: channels }, (_, c) =>
          Math.hypot(...[1, 2, 3, 4, 5].map((s) => error(layer, c, near(s, spread)))),
        ),
      )
    expect(total(own, 0.2)).toBeLessThan(0.6 * total(fitted, 0.2))
    for (const x of [-3.75, -2, 0, 2, 5]) {
      const at = createTensor([channels, 1, 1], new Float64Array(channels).fill(x))
      expect(largestDifference(own.forward([at]), own.forwardApproximate([at]))).toBeLessThan(1)
    }
  })

  it('are left out where channels lie together, or nobody wants or knows them', () => {
    expect(fitted.suited([createMultiplexedLayout([channels, 2, 2], { maxSlots: 512 })])).toBe(fitted)
    const without = (change: Partial<InputStatistics>, more = {}) =>
      make('relu').calibrate({ ...seen, ...change }, { ...options, ...more })
    const { channels: _, ...unseen } = seen
    const others = [
      make('relu').calibrate(unseen, options),
      without({ channels: { half: 4, counts: counts.slice(1) } }),
      without({}, { perChannel: false }),
      without({}, { method: 'remez' }),
      without({}, { error: 0.5 }),
    ]
    for (const layer of others) expect(layer.suited([plain])).toBe(layer)
  })

  it('are left to lines, which are what every channel wants', () => {
    const positive = make('relu').calibrate({ ...seen, min: 0 }, options)
    expect(positive.polynomial!.degree).toBe(1)
    expect(positive.suited([plain])).toBe(positive)
  })
  it('refuse other layouts, and forms that are none', () => {
    const own = fitted.suited([plain])
    expect(() => own.lower([shared])).toThrow(UnsupportedError)
    expect(() => own.lower([createChannelLayout([4, 2, 2], { slots: 64, images: 4 })])).toThrow(/6 polynomials/)
    const form = JSON.parse(JSON.stringify(own.fittedForm))
    const { coefficients } = form.channels
    for (const channels of [
      null,
      { share: 0, coefficients },
      { share: 1.5, coefficients },
      { share: 1, coefficients: [] },
      { share: 1, coefficients: [coefficients[0].slice(1)] },
      { share: 1, coefficients: [coefficients[0].map(String)] },
      { share: 1, coefficients: [[1, 0, 0, 0, 0, 0, 0, 0]] },
      { share: 1, coefficients: [[1, 1e-25, 0, 0, 0, 0, 0, 0]] },
      { share: 1, coefficients: [[1, 1e300, 0, 0, 0, 0, 0, 0]] },
      { share: 1, coefficients, more: 1 },
    ])
      expect(() => fitted.withFittedForm({ ...form, channels })).toThrow(FormatError)
  })
})
