import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorFunction } from './error-function.ts'
import {
  ACTIVATION_NAMES,
  type ActivationPolynomial,
  activationFunction,
  approximate,
  certifySeries,
  fitLeastSquares,
  forwardPolynomial,
  interpolateChebyshev,
  type SeriesPolynomial,
} from './index.ts'

const smooth = ACTIVATION_NAMES.filter((n) => n !== 'sign')

function sampledError(polynomial: ActivationPolynomial, points = 4001): number {
  const f = activationFunction(polynomial.function as 'relu')
  const [lo, hi] = polynomial.range
  let worst = 0
  for (let i = 0; i < points; i++) {
    const x = Math.min(hi, lo + ((hi - lo) * i) / (points - 1))
    worst = Math.max(worst, Math.abs(f.evaluate(x) - forwardPolynomial(polynomial, x)))
  }
  return worst
}

describe('approximate', () => {
  it('certifies at least the sampled error, and little more, for every function and method', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...smooth),
        fc.constantFrom('remez', 'chebyshev', 'least-squares' as const),
        fc.integer({ min: 2, max: 40 }),
        fc.double({ min: 0.5, max: 12, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (name, method, degree, half, lean) => {
          const range = [-half * (1 - 0.5 * lean), half * (1 + 0.5 * lean)] as const
          const polynomial = approximate(name, { range, degree, method: method as 'remez' })
          const sampled = sampledError(polynomial)
          expect(polynomial.certifiedError).toBeGreaterThanOrEqual(sampled)
          expect(polynomial.certifiedError).toBeLessThanOrEqual(1.05 * sampled + 1e-9)
          expect(polynomial.degree).toBeLessThanOrEqual(degree)
          expect(JSON.parse(JSON.stringify(polynomial))).toEqual(polynomial)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('has remez never worse than chebyshev or least squares', () => {
    for (const name of smooth)
      for (const degree of [3, 8, 15]) {
        const error = (method: 'remez' | 'chebyshev' | 'least-squares') =>
          approximate(name, { range: [-6, 6], degree, method }).certifiedError
        const best = error('remez') * 0.998 - 1e-10
        expect(best).toBeLessThanOrEqual(error('chebyshev'))
        expect(best).toBeLessThanOrEqual(error('least-squares'))
      }
  })

  it('agrees with the known Chebyshev error of ReLU at degree 59: 0.0083 of the half range', () => {
    const relu = approximate('relu', { range: [-50, 50], degree: 59, method: 'chebyshev' })
    expect(relu.certifiedError / 50).toBeCloseTo(0.0083, 4)
  })

  it('keeps the symmetry of a function exactly, by interpolation too', () => {
    for (const method of ['chebyshev', 'remez'] as const) {
      const sigmoid = approximate('sigmoid', { range: [-24, 24], degree: 63, method }) as SeriesPolynomial
      expect(sigmoid.series.coefficients[0]).toBe(0.5)
      expect(sigmoid.series.coefficients.filter((c, k) => k > 0 && k % 2 === 0 && c !== 0)).toEqual([])
      const gelu = approximate('gelu', { range: [-12, 12], degree: 63, method }) as SeriesPolynomial
      expect(gelu.series.coefficients[1]).toBe(6)
      expect(gelu.series.coefficients.filter((c, k) => k > 1 && k % 2 === 1 && c !== 0)).toEqual([])
    }
  })

  it('has square exact, of degree 2 and depth 2', () => {
    const square = approximate('square', { range: [-3, 5], degree: 7 })
    expect(square).toMatchObject({ kind: 'series', degree: 2, depth: 2 })
    expect(square.certifiedError).toBeLessThan(1e-11)
    expect(forwardPolynomial(square, 4)).toBeCloseTo(16, 12)
  })

  it('takes the smallest degree that meets an error', () => {
    for (const name of ['silu', 'tanh', 'sigmoid', 'gelu'] as const) {
      const found = approximate(name, { range: [-6, 6], error: 1e-3 })
      expect(found.certifiedError).toBeLessThanOrEqual(1e-3)
      const step = activationFunction(name).symmetry ? 2 : 1
      expect(approximate(name, { range: [-6, 6], degree: found.degree - step }).certifiedError).toBeGreaterThan(1e-3)
    }
    expect(() => approximate('relu', { range: [-9, 9], degree: 31, error: 1e-4 })).toThrow(/degree 31 reaches/)
  })

  it('approximates sign outside a gap only', () => {
    const sign = approximate('sign', { range: [-2, 2], gap: 0.2, degree: 15 })
    for (let x = 0.2; x <= 2; x += 0.001)
      expect(Math.abs(1 - forwardPolynomial(sign, x))).toBeLessThanOrEqual(sign.certifiedError)
    expect(() => approximate('sign', { range: [-2, 2], degree: 15 })).toThrow(/gap/)
    expect(() => approximate('sign', { range: [-2, 2], gap: 0.2, degree: 15, method: 'chebyshev' })).toThrow(/jumps/)
  })

  it('certifies on ranges too wide for an interpolant', () => {
    const wide = approximate('silu', { range: [-3000, 3000], degree: 15 })
    const sampled = sampledError(wide, 60_001)
    expect(wide.certifiedError).toBeGreaterThanOrEqual(sampled)
    expect(wide.certifiedError).toBeLessThanOrEqual(1.01 * sampled)
  })

  it('accepts functions of the caller', () => {
    const softplus = {
      name: 'own softplus',
      evaluate: (x: number) => Math.log1p(Math.exp(x)),
      derivative: (x: number) => 1 / (1 + Math.exp(-x)),
      curvature: 0.25,
      kinks: [],
    }
    const polynomial = approximate(softplus, { range: [-5, 5], degree: 10 })
    expect(polynomial.certifiedError).toBeLessThan(2e-3)
    expect(forwardPolynomial(polynomial, 1)).toBeCloseTo(Math.log1p(Math.E), 2)
  })

  it('names what is wrong with the options', () => {
    expect(() => approximate('swish' as 'silu', { range: [-1, 1], degree: 3 })).toThrow(/relu, silu/)
    expect(() => approximate('relu', { range: [1, -1], degree: 3 })).toThrow(/lo < hi/)
    expect(() => approximate('relu', { range: [-1, 1] })).toThrow(/a degree or an error/)
    expect(() => approximate('relu', { range: [-1, 1], error: 0 })).toThrow(/positive/)
    expect(() => certifySeries('relu', interpolateChebyshev(Math.abs, 3, [-1, 1]), [[0, 2]])).toThrow(/not inside/)
  })
})

describe('least squares', () => {
  it('reproduces polynomials', () => {
    const { series, supError, rmsError } = fitLeastSquares((x) => x ** 3 - x, { range: [-2, 3], degree: 5 })
    expect(supError).toBeLessThan(1e-12)
    expect(rmsError).toBeLessThan(1e-12)
    expect(series.coefficients).toHaveLength(6)
  })

  it('errs least where the inputs are', () => {
    const counts = Array.from({ length: 64 }, (_, i) => Math.exp(-(((i - 31.5) / 5) ** 2)))
    const fit = (density: boolean) =>
      approximate('relu', {
        range: [-8, 8],
        degree: 8,
        method: 'least-squares',
        ...(density && { density: { range: [-8, 8] as const, counts }, floor: 0.01 }),
      })
    const meanError = (p: ActivationPolynomial) => {
      let sum = 0
      for (let x = -1; x <= 1; x += 0.01) sum += (forwardPolynomial(p, x) - Math.max(0, x)) ** 2
      return sum
    }
    expect(meanError(fit(true))).toBeLessThan(0.5 * meanError(fit(false)))
  })

  it('refuses empty mixtures and negative counts', () => {
    expect(() => fitLeastSquares(Math.exp, { range: [0, 1], degree: 2, floor: 0 })).toThrow(/floor/)
    const density = { range: [0, 1] as const, counts: [1, -1] }
    expect(() => fitLeastSquares(Math.exp, { range: [0, 1], degree: 2, density })).toThrow(/bin 1/)
  })
})

describe('errorFunction', () => {
  it('agrees with tabulated values', () => {
    expect(errorFunction(0.5)).toBeCloseTo(0.5204998778130465, 15)
    expect(errorFunction(1)).toBeCloseTo(0.8427007929497149, 15)
    expect(errorFunction(-2)).toBeCloseTo(-0.9953222650189527, 15)
    expect(errorFunction(4)).toBeCloseTo(0.9999999845827421, 15)
  })
})
