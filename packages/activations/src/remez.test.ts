import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluateSeries, findMinimax } from './index.ts'

describe('findMinimax', () => {
  it('finds the minimax error of |x|, near 0.2801694990 / n (Bernstein; Varga and Carpenter)', () => {
    const best = (degree: number) => findMinimax(Math.abs, { intervals: [[0, 1]], degree, parity: 'even' })
    expect(best(2).error).toBeCloseTo(1 / 8, 12) // x^2 + 1/8
    expect(best(20).error * 20).toBeCloseTo(0.2797324, 6)
    expect(best(128).error * 128).toBeCloseTo(0.280169499, 4)
  })

  it('finds monomials: x^n by lower degrees errs by 2^(1-n)', () => {
    for (const n of [3, 6, 9]) {
      const { error } = findMinimax((x) => x ** n, { intervals: [[-1, 1]], degree: n - 1 })
      expect(error).toBeCloseTo(2 ** (1 - n), 12)
    }
  })

  it('equioscillates, and the two bounds agree', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 14 }),
        fc.double({ min: 0.2, max: 3, noNaN: true }),
        fc.constantFrom(Math.exp, Math.atan, (x: number) => 1 / (x + 4), Math.cos),
        (degree, width, f) => {
          const { alternation, error, levelledError, series } = findMinimax(f, {
            intervals: [[0.1 - width, 0.3 + width]],
            degree,
          })
          if (error < 1e-9) return
          expect(levelledError).toBeLessThanOrEqual(error * (1 + 1e-6))
          expect(levelledError / error).toBeGreaterThan(0.999)
          expect(alternation).toHaveLength(degree + 2)
          alternation.forEach((p, i) => {
            expect(Math.abs(Math.abs(p.error) - error)).toBeLessThan(1e-3 * error)
            if (i > 0) expect(Math.sign(p.error)).toBe(-Math.sign(alternation[i - 1]!.error))
            expect(f(p.x) - evaluateSeries(series, p.x)).toBeCloseTo(p.error, 10)
          })
        },
      ),
      { numRuns: 150 },
    )
  })

  it('solves unions of intervals, and agrees with the odd variant on symmetric ones', () => {
    for (const degree of [3, 7, 15]) {
      const union = findMinimax(Math.sign, {
        intervals: [
          [-1, -0.2],
          [0.2, 1],
        ],
        degree,
      })
      const odd = findMinimax(() => 1, { intervals: [[0.2, 1]], degree, parity: 'odd' })
      expect(union.error).toBeCloseTo(odd.error, 9)
      expect(odd.series.coefficients.filter((_, k) => k % 2 === 0).every((c) => c === 0)).toBe(true)
    }
    const lopsided = findMinimax((x) => (x < 0 ? 0 : 1), {
      intervals: [
        [-3, -1],
        [0.5, 1],
      ],
      degree: 6,
    })
    expect(lopsided.levelledError / lopsided.error).toBeGreaterThan(0.999999)
  })

  it('stays accurate on the narrow intervals of later composite factors', () => {
    for (const [degree, e] of [
      [3, 0.01],
      [7, 0.1],
      [15, 0.1],
    ] as const) {
      const { series, error } = findMinimax(() => 1, { intervals: [[1 - e, 1 + e]], degree, parity: 'odd' })
      for (let i = 0; i <= 100; i++) {
        const x = 1 - e + (2 * e * i) / 100
        expect(Math.abs(1 - evaluateSeries(series, x))).toBeLessThan(error * 1.001 + 1e-14)
      }
    }
    // degree 3: x (3 - x^2) / 2 errs by about 3/2 e^2, the levelled one by half of it
    expect(findMinimax(() => 1, { intervals: [[0.99, 1.01]], degree: 3, parity: 'odd' }).error).toBeCloseTo(0.75e-4, 7)
  })

  it('levels the weighted error', () => {
    const weight = (x: number) => (x < 0.5 ? 1 : 8)
    const { error, levelledError, series, alternation } = findMinimax(Math.abs, {
      intervals: [
        [0, 0.49],
        [0.5, 1],
      ],
      degree: 10,
      parity: 'even',
      weight,
    })
    expect(levelledError / error).toBeGreaterThan(0.999999)
    for (const p of alternation) expect(weight(p.x) * (p.x - evaluateSeries(series, p.x))).toBeCloseTo(p.error, 12)
    for (let x = 0.5; x <= 1; x += 0.001)
      expect(Math.abs(x - evaluateSeries(series, x))).toBeLessThanOrEqual((error / 8) * (1 + 1e-9))
    // a constant weight changes the scale of the error only
    const plain = findMinimax(Math.exp, { intervals: [[-1, 1]], degree: 5 })
    const heavy = findMinimax(Math.exp, { intervals: [[-1, 1]], degree: 5, weight: () => 4 })
    expect(heavy.error).toBeCloseTo(4 * plain.error, 9)
    expect(() => findMinimax(Math.exp, { intervals: [[-1, 1]], degree: 3, weight: (x) => x })).toThrow(/weight/)
  })

  it('refuses bad problems', () => {
    expect(() => findMinimax(Math.exp, { intervals: [], degree: 3 })).toThrow(/at least one interval/)
    expect(() =>
      findMinimax(Math.exp, {
        intervals: [
          [0, 1],
          [0.5, 2],
        ],
        degree: 3,
      }),
    ).toThrow(/disjoint/)
    expect(() => findMinimax(Math.abs, { intervals: [[-1, 1]], degree: 3, parity: 'even' })).toThrow(/x >= 0/)
    expect(() => findMinimax(Math.log, { intervals: [[0, 1]], degree: 3 })).toThrow(/-Infinity at 0/)
  })
})
