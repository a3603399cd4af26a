import { describe, expect, test } from 'vitest'
import { fitDensities, fitLeastSquares } from './index.ts'

const relu = (x: number): number => Math.max(0, x)
const peak = (at: number, width: number): number[] =>
  Array.from({ length: 64 }, (_, i) => Math.round(1e4 * Math.exp(-((((i + 0.5) / 32 - 1 - at) / width) ** 2))))

describe('fitDensities', () => {
  test.each([3, 15, 59, 119])('finds what least squares finds, degree %i', (degree) => {
    const range = [-3, 2] as const
    const densities = [peak(0, 0.05), peak(-0.7, 0.02), peak(0.4, 0.5), peak(0, 0.001)].map((counts) => {
      return { range: [-4, 4] as const, counts }
    })
    const fits = fitDensities(relu, densities, { range, degree })
    expect(fits).toHaveLength(densities.length)
    for (const [i, density] of densities.entries()) {
      const { coefficients } = fitLeastSquares(relu, { range, degree, density }).series
      for (const [k, c] of coefficients.entries()) expect(fits[i]![k]).toBeCloseTo(c, 7)
    }
  })

  test('refuses what has no fit', () => {
    const density = { range: [-1, 1] as const, counts: [1, 1] }
    expect(() => fitDensities(relu, [density], { range: [1, 1], degree: 3 })).toThrow(/range/)
    expect(() => fitDensities(relu, [density], { range: [-1, 1], degree: 3, floor: 1e-9 })).toThrow(/floor/)
    expect(() => fitDensities((x) => 1 / x / 0, [density], { range: [-1, 1], degree: 3 })).toThrow(/not finite/)
    expect(() => fitDensities(relu, [{ ...density, counts: [1, Number.NaN] }], { range: [-1, 1], degree: 3 })).toThrow(
      /bin 1/,
    )
  })
})
