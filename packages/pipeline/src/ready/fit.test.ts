import { CancelledError, FormatError, InvalidArgumentError, ParameterMismatchError } from '@he-ml/ckks-core'
import { createTensor } from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import { compile } from '../compile/compile.ts'
import { images, smallCnn } from '../pipeline.test-helper.ts'
import { parseCalibration, serializeCalibration } from './calibration-file.ts'
import { fit } from './fit.ts'
import { modelDigest } from './model-digest.ts'
import { StatisticsCollector } from './statistics.ts'

describe('statistics', () => {
  it('are those of the values, whatever their order of magnitude', () => {
    const values = Float64Array.of(0, 1e-9, -3, 5, 100, -0.5)
    const collector = new StatisticsCollector()
    collector.add(values, 'x')
    const { count, min, max, mean, std, histogram } = collector.result()
    expect([count, min, max]).toEqual([6, -3, 100])
    const average = values.reduce((a, b) => a + b, 0) / 6
    expect(mean).toBeCloseTo(average, 12)
    expect(std).toBeCloseTo(Math.sqrt(values.reduce((a, b) => a + (b - average) ** 2, 0) / 5), 10)
    expect(histogram.reduce((a, b) => a + b, 0)).toBeCloseTo(6, 9)
    expect(histogram[511]).toBeGreaterThan(0)
  })
  it('of nothing, and of one value, are harmless', () => {
    // a value just below a bin's edge stays below it
    const edge = new StatisticsCollector()
    edge.add(Float64Array.of(-1, -1e-20, 1), 'a')
    const { histogram: half } = edge.result()
    expect(half.subarray(0, half.length / 2).reduce((a, b) => a + b)).toBeCloseTo(2, 9)
    expect(new StatisticsCollector().result()).toMatchObject({ count: 0, min: 0, max: 0, std: 0 })
    const one = new StatisticsCollector()
    one.add(Float64Array.of(2), 'x')
    expect(one.result()).toMatchObject({ count: 1, min: 2, max: 2, mean: 2, std: 0 })
  })
  it('of channels are counted apart, on one range that grows', () => {
    const collector = new StatisticsCollector(2)
    collector.add(Float64Array.of(0.1, 0.2, -0.3, -0.4), 'x')
    collector.add(Float64Array.of(0.1, 0.2, -3, 0.4), 'x')
    const { half, counts } = collector.result().channels!
    expect(half).toBe(4)
    expect(counts.map((bins) => bins.reduce((a, b) => a + b, 0))).toEqual([4, 4])
    // bins are a sixteenth wide
    const [first, second] = counts.map((bins) => [...bins.entries()].flatMap(([i, n]) => (n > 0 ? [[i - 64, n]] : [])))
    expect(first).toEqual([
      [1, 2],
      [3, 2],
    ])
    expect(second).toEqual([
      [-48, 1],
      [-7, 1],
      [-5, 1],
      [6, 1],
    ])
    expect(new StatisticsCollector(2).result()).not.toHaveProperty('channels')
  })
  it.each([Number.NaN, Number.POSITIVE_INFINITY])('name the layer that saw %d', (bad) => {
    expect(() => new StatisticsCollector().add(Float64Array.of(1, bad), 'act')).toThrow(/"act"/)
  })
})

describe('fit', () => {
  it('sees what every activation sees', async () => {
    const model = smallCnn('relu')
    const data = images(5)
    let most = Number.NEGATIVE_INFINITY
    for (const image of data)
      model.forward(image, ({ name }, [x]) => {
        if (name === 'act') most = Math.max(most, ...x!.data)
      })
    const progress: number[] = []
    const { samples, statistics, outputMagnitude } = await fit(model, data, {
      precision: 'double',
      onProgress: (n) => progress.push(n),
    })
    expect(samples).toBe(5)
    expect(Object.keys(statistics)).toEqual(['act'])
    expect(statistics.act!.max).toBe(most)
    expect(statistics.act!.count).toBe(5 * 72)
    expect(progress).toEqual([1, 2, 3, 4, 5])
    expect(outputMagnitude).toBe(Math.max(...data.flatMap((x) => [...model.forward(x).data].map(Math.abs))))
  })
  it.each([
    ['a misspelt option', images(1), { equalise: true }, /fit: there is no option equalise: did you mean equalize\?/],
    ['another kind of value', images(1), { equalize: 'yes' }, /equalize must be true or false, got "yes"/],
    ['null', images(1), null, /options must be an object, got null/],
    ['one tensor', images(1)[0], {}, /fit: expected a list of tensors/],
    ['nothing', undefined, {}, /fit: expected a list of tensors/],
  ])('refuses %s', async (_, data, options, says) => {
    const call = fit(smallCnn('relu'), data as never, options as never)
    await expect(call).rejects.toThrow(InvalidArgumentError)
    await expect(call).rejects.toThrow(says)
  })
  it('refuses no data, NaN, wrong shapes, and stops when told', async () => {
    const model = smallCnn('relu')
    await expect(fit(model, [])).rejects.toThrow(InvalidArgumentError)
    await expect(fit(model, [createTensor([1, 8, 8], new Float64Array(64).fill(Number.NaN))])).rejects.toThrow(/"act"/)
    await expect(fit(model, [createTensor([1, 4, 4], new Float64Array(16))])).rejects.toThrow(InvalidArgumentError)
    await expect(fit(model, images(2), { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
  })
  it('equalizes networks of ReLUs when asked to: two runs, and statistics of the equalized one', async () => {
    const model = smallCnn('relu', 9)
    const done: number[] = []
    const even = await fit(model, images(10), { equalize: true, onProgress: (n) => done.push(n) })
    expect(Object.keys(even.equalization!)).toEqual(['conv'])
    expect(done).toEqual([...done].sort((a, b) => a - b))
    expect(done.at(-1)).toBe(20)
    const widest = ({ values }: typeof even) => {
      const { min, max } = values!.conv!.channels!
      return min.map((low, c) => Math.max(-low, max[c]!))
    }
    const [before, after] = [await fit(model, images(10)), even].map((calibration) => {
      const all = widest(calibration)
      return Math.max(...all) / Math.min(...all)
    })
    expect(before).toBeGreaterThan(2 ** 0.25)
    expect(after).toBeLessThan(2 ** 0.25)
    expect(even.outputRanges!.max[0]).toBeCloseTo((await fit(model, images(10))).outputRanges!.max[0]!, 4)
    expect(parseCalibration(serializeCalibration(even))).toEqual(even)
    expect(await fit(smallCnn('square'), images(10), { equalize: true })).not.toHaveProperty('equalization')
    const once = (function* () {
      yield* images(10)
    })()
    await expect(fit(model, once, { equalize: true })).rejects.toThrow(/read twice/)
  })
  it('goes through JSON unchanged, and damaged text is refused', async () => {
    const calibration = await fit(smallCnn('relu'), images(2))
    const text = serializeCalibration(calibration)
    expect(parseCalibration(text)).toEqual(calibration)
    for (const bad of ['', '{}', text.replace('"samples":2', '"samples":-2'), text.replace('"model"', '"modle"')])
      expect(() => parseCalibration(bad)).toThrow(FormatError)
    const uneven = text.replace('"counts":[[', '"counts":[[0],[')
    expect(uneven).not.toBe(text)
    expect(() => parseCalibration(uneven)).toThrow(/lists of one length/)
  })
  it('is tied to its model: the calibration of another with the same layer names is refused', async () => {
    const model = smallCnn('relu')
    const calibration = await fit(model, images(2), { equalize: true })
    // the equalized model is not what callers have
    expect(calibration.modelDigest).toBe(modelDigest(model))
    const other = smallCnn('relu', 2)
    expect([...other.shapes.keys()]).toEqual([...model.shapes.keys()])
    const error = await compile(other, { calibration, activation: { degree: 3 } }).catch((e) => e)
    expect(error).toBeInstanceOf(ParameterMismatchError)
    expect(error.message).toMatch(/calibration is that of a model .* pass what fit\(model, data\) gives for this very/)
    await compile(smallCnn('relu'), { calibration, activation: { degree: 3 } })
    const { modelDigest: _, ...old } = JSON.parse(serializeCalibration(calibration))
    expect(() => parseCalibration(JSON.stringify(old))).toThrow(FormatError)
    expect(() => parseCalibration(JSON.stringify(old))).toThrow(/"modelDigest".*make it anew with fit/)
  })
})
