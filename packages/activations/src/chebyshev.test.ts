import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addSeries,
  type ChebyshevSeries,
  changeRange,
  chebyshevNodes,
  differentiateSeries,
  evaluateSeries,
  fromPowerBasis,
  interpolateChebyshev,
  multiplySeries,
  scaleSeries,
  seriesDepth,
  toPowerBasis,
} from './index.ts'

const horner = (powers: readonly number[], x: number) => powers.reduceRight((sum, c) => sum * x + c, 0)
const coefficient = fc.double({ min: -4, max: 4, noNaN: true })
const powers = fc.array(coefficient, { minLength: 1, maxLength: 9 })
const range = fc
  .tuple(fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: 0.5, max: 4, noNaN: true }))
  .map(([lo, width]) => [lo, lo + width] as const)

describe('Chebyshev series', () => {
  it('holds hand-checked values', () => {
    // x^2 = (T_0 + T_2) / 2, x^3 = (3 T_1 + T_3) / 4
    const square = fromPowerBasis([0, 0, 1], [-1, 1]).coefficients
    expect(square).toEqual([0.5, 0, 0.5].map((c) => expect.closeTo(c, 14)))
    expect(toPowerBasis({ coefficients: [0, 0.75, 0, 0.25], range: [-1, 1] })).toEqual([0, 0, 0, 1])
    expect(evaluateSeries({ coefficients: [0, 0, 0, 0, 0, 1], range: [0, 2] }, 1 + Math.cos(0.3))).toBeCloseTo(
      Math.cos(1.5),
      14,
    )
    expect([...chebyshevNodes(2, [0, 2])]).toEqual(
      [1 + Math.SQRT1_2, 1 - Math.SQRT1_2].map((v) => expect.closeTo(v, 15)),
    )
    expect([0, 1, 2, 3, 4, 7, 8, 15, 27, 59].map(seriesDepth)).toEqual([0, 1, 2, 2, 3, 3, 4, 4, 5, 6])
  })

  it('interpolates analytic functions to rounding', () => {
    const series = interpolateChebyshev(Math.exp, 20, [-2, 3])
    for (let x = -2; x <= 3; x += 0.01) expect(Math.abs(evaluateSeries(series, x) - Math.exp(x))).toBeLessThan(1e-12)
  })

  it('agrees with the power basis, its derivative, products and ranges', () => {
    fc.assert(
      fc.property(
        powers,
        powers,
        range,
        range,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (p, q, on, other, share) => {
          const x = on[0] + share * (on[1] - on[0])
          const a = fromPowerBasis(p, on)
          const b = fromPowerBasis(q, on)
          const near = (got: number, wanted: number, size = 1) =>
            expect(Math.abs(got - wanted)).toBeLessThan(1e-7 * size * (1 + Math.abs(wanted)))
          near(evaluateSeries(a, x), horner(p, x))
          near(evaluateSeries(addSeries(a, b), x), horner(p, x) + horner(q, x), 100)
          near(evaluateSeries(scaleSeries(a, -3), x), -3 * horner(p, x))
          near(evaluateSeries(multiplySeries(a, b), x), horner(p, x) * horner(q, x), 1e4)
          const slope = p.slice(1).map((c, k) => (k + 1) * c)
          near(evaluateSeries(differentiateSeries(a), x), horner(slope, x), 1e3)
          const y = other[0] + share * (other[1] - other[0])
          const size = 1 + p.reduce((sum, c, k) => sum + Math.abs(c) * 8 ** k, 0)
          // rounding grows like T_k outside [-1, 1], up to the end of the new range that is farther from the old one
          const farthest = Math.max(...other.map((v) => Math.abs((2 * v - on[0] - on[1]) / (on[1] - on[0]))))
          const outside = (farthest + Math.sqrt(Math.max(0, farthest ** 2 - 1))) ** (p.length - 1)
          const moved = evaluateSeries(changeRange(a, other), y)
          expect(Math.abs(moved - horner(p, y))).toBeLessThan((1e-7 + 1e-14 * outside) * size)
          // powers of x far from 0 on a narrow range are nearly dependent: rounding grows with their condition
          const growth = ((2 * (Math.abs(on[0]) + Math.abs(on[1]) + 1)) / (on[1] - on[0])) ** (p.length - 1)
          toPowerBasis(a).forEach((c, k) => {
            expect(Math.abs(c - p[k]!)).toBeLessThan((1e-7 + 1e-15 * growth) * size)
          })
        },
      ),
      { numRuns: 300 },
    )
  })

  it('refuses what it cannot do, saying what to do', () => {
    const series: ChebyshevSeries = { coefficients: [1], range: [0, 1] }
    expect(() => interpolateChebyshev(Math.exp, 3, [1, 1])).toThrow(/lo < hi/)
    expect(() => interpolateChebyshev(Math.exp, -1, [0, 1])).toThrow(/degree/)
    expect(() => interpolateChebyshev((x) => 1 / (x - 0.5), 0, [0, 1])).toThrow(/Infinity at 0.5/)
    expect(() => addSeries(series, { coefficients: [1], range: [0, 2] })).toThrow(/changeRange/)
    expect(() => fromPowerBasis(new Array(40).fill(1), [0, 1])).toThrow(/Chebyshev basis/)
  })
})
