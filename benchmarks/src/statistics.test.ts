import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agreementBits, interleave, median } from './statistics.ts'

describe('median', () => {
  it('is the middle, or the mean of two', () => {
    expect(median([5])).toBe(5)
    expect(median([9, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(() => median([])).toThrow(/at least one/)
  })
  it('has as many values below as above', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
        const middle = median(values)
        expect(values.filter((v) => v < middle).length).toBeLessThanOrEqual(values.length / 2)
        expect(values.filter((v) => v > middle).length).toBeLessThanOrEqual(values.length / 2)
      }),
    )
  })
})

describe('interleave', () => {
  it('runs every task once a round, warm-up not counted, another one first each time', async () => {
    const order: string[] = []
    const samples = await interleave(
      { a: () => void order.push('a'), b: async () => void order.push('b'), c: () => 42 },
      { warmUp: 1, repetitions: 3 },
    )
    expect(order.join('')).toBe('abab' + 'ba' + 'ab')
    expect(samples.a).toHaveLength(3)
    expect(samples.b).toHaveLength(3)
    expect(samples.c).toEqual([42, 42, 42]) // a task that measures itself
  })
})

describe('agreementBits', () => {
  it('counts bits of the worst difference', () => {
    expect(agreementBits(Float64Array.of(1, 2), Float64Array.of(1.25, 2))).toBe(2)
    expect(agreementBits(Float64Array.of(1), Float64Array.of(1))).toBe(Infinity)
    expect(agreementBits(Float64Array.of(1), Float64Array.of(Number.NaN))).toBeNaN()
    expect(() => agreementBits(Float64Array.of(1), new Float64Array(2))).toThrow(/lengths/)
  })
})
