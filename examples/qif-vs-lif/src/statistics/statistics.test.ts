import { InvalidArgumentError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateMean, holdsZero } from './estimate.ts'
import { centralProbability, twoSidedQuantile } from './student-t.ts'

describe("Student's t", () => {
  // two-sided quantiles as any statistical table prints them
  it.each([
    [0.95, 1, 12.7062],
    [0.95, 2, 4.30265],
    [0.95, 3, 3.18245],
    [0.95, 4, 2.77645],
    [0.95, 5, 2.57058],
    [0.95, 9, 2.26216],
    [0.95, 30, 2.04227],
    [0.9, 4, 2.13185],
    [0.99, 4, 4.60409],
    [0.99, 7, 3.49948],
    [0.999, 10, 4.58689],
    [0.95, 1000, 1.96234],
  ])('has the %f quantile of %i degrees of freedom', (confidence, df, quantile) => {
    expect(Math.abs(twoSidedQuantile(confidence, df) / quantile - 1)).toBeLessThan(1e-5)
  })
  it('has closed forms for 1 and 2 degrees of freedom', () => {
    for (const t of [0, 0.1, 1, 3, 50]) {
      expect(centralProbability(t, 1)).toBeCloseTo((2 / Math.PI) * Math.atan(t), 14)
      expect(centralProbability(t, 2)).toBeCloseTo(t / Math.sqrt(2 + t * t), 14)
    }
    expect(centralProbability(Infinity, 3)).toBe(1)
  })
  it('has the integral of its density', () => {
    // density of 5 degrees of freedom: 8 / (3 pi sqrt(5)) (1 + t^2 / 5)^-3
    const density = (t: number) => (8 / (3 * Math.PI * Math.sqrt(5))) * (1 + (t * t) / 5) ** -3
    const [end, steps] = [2.5, 1000]
    let sum = density(0) + density(end)
    for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density((i * end) / steps)
    expect(centralProbability(end, 5)).toBeCloseTo((2 * sum * end) / (3 * steps), 10)
  })
  it('comes back from the quantile to the probability', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.9999, noNaN: true }), fc.integer({ min: 1, max: 60 }), (p, df) => {
        expect(Math.abs(centralProbability(twoSidedQuantile(p, df), df) - p)).toBeLessThan(1e-12)
      }),
    )
  })
  it('refuses what is none', () => {
    for (const df of [0, -1, 2.5, Number.NaN]) expect(() => twoSidedQuantile(0.95, df)).toThrow(InvalidArgumentError)
    for (const p of [0, 1, Number.NaN]) expect(() => twoSidedQuantile(p, 4)).toThrow(InvalidArgumentError)
    expect(() => centralProbability(-1, 4)).toThrow(InvalidArgumentError)
  })
})

describe('estimateMean', () => {
  it('gives the interval that is worked out by hand', () => {
    // mean 3, deviation sqrt(2.5), standard error sqrt(0.5), t of 4 degrees of freedom 2.77645
    const { count, mean, deviation, low, high } = estimateMean([1, 2, 3, 4, 5])
    expect([count, mean]).toEqual([5, 3])
    expect(deviation).toBeCloseTo(Math.sqrt(2.5), 12)
    expect(high - 3).toBeCloseTo(2.776445 * Math.sqrt(0.5), 5)
    expect(3 - low).toBeCloseTo(high - 3, 12)
  })
  it('is wider at a higher confidence, and about values with no spread a point', () => {
    const [narrow, wide] = [0.9, 0.99].map((p) => estimateMean([0.1, 0.4, 0.2], p))
    expect(wide!.high).toBeGreaterThan(narrow!.high)
    expect(estimateMean([0.1, 0.1, 0.1])).toEqual({ count: 3, mean: 0.1, deviation: 0, low: 0.1, high: 0.1 })
  })
  it('knows nothing of the spread of one value', () => {
    const one = estimateMean([0.7])
    expect(one).toMatchObject({ mean: 0.7, low: -Infinity, high: Infinity })
    expect(holdsZero(one)).toBe(true)
  })
  it('holds the true mean as often as it says', () => {
    // sums of 12 uniform numbers are nearly normal; a fixed generator, so this is the same every time
    let state = 12345
    const uniform = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state / 2 ** 32
    }
    const normal = () => Array.from({ length: 12 }, uniform).reduce((sum, u) => sum + u, -6)
    const [runs, seeds] = [4000, 5]
    let held = 0
    for (let i = 0; i < runs; i++) if (holdsZero(estimateMean(Array.from({ length: seeds }, normal)))) held++
    // four standard errors of a share of 0.95 among 4,000
    expect(Math.abs(held / runs - 0.95)).toBeLessThan(0.014)
  })
  it('refuses no values and no numbers', () => {
    expect(() => estimateMean([])).toThrow(InvalidArgumentError)
    expect(() => estimateMean([1, Number.NaN])).toThrow(InvalidArgumentError)
  })
})

describe('holdsZero', () => {
  it('counts the ends', () => {
    expect([-1, 0, 1].map((low) => holdsZero({ low, high: 2 }))).toEqual([true, true, false])
    expect(holdsZero({ low: -2, high: -1 })).toBe(false)
  })
})
