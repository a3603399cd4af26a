import { describe, expect, it } from 'vitest'
import {
  approximate,
  type CompositePolynomial,
  certifyCompositeSign,
  compositeSign,
  evaluateCompositeSign,
  forwardPolynomial,
  searchCompositeDegrees,
} from './index.ts'

describe('compositeSign', () => {
  it('reaches the published precisions of ReLU by composite minimax polynomials (arXiv 2105.10879, table of degrees)', () => {
    const published: [number, number[]][] = [
      [4, [5]],
      [5, [13]],
      [6, [3, 7]],
      [7, [7, 7]],
      [8, [7, 15]],
      [9, [15, 15]],
      [10, [7, 7, 13]],
      [11, [7, 7, 27]],
      [12, [7, 15, 27]],
      [13, [15, 15, 27]],
      [14, [15, 27, 29]],
    ]
    for (const [bits, degrees] of published) {
      const relu = approximate('relu', { range: [-1, 1], method: 'composite', degrees })
      const reached = -Math.log2(relu.certifiedError)
      expect(reached, `degrees ${degrees}`).toBeGreaterThan(bits)
      expect(reached, `degrees ${degrees}`).toBeLessThan(bits + 1)
    }
  })

  it('keeps every factor within [-1, 1] and its error certified', () => {
    const sign = compositeSign({ degrees: [7, 7, 13], gap: 2 ** -6 })
    const { certified, sampled } = certifyCompositeSign(sign)
    expect(certified).toBeGreaterThanOrEqual(sampled)
    expect(sampled).toBeCloseTo(sign.error, 8)
    expect(certified / sign.error).toBeLessThan(1.002)
    for (let i = 0; i <= 5000; i++) {
      const x = sign.gap * (1 / sign.gap) ** (i / 5000)
      expect(Math.abs(1 - evaluateCompositeSign(sign, x))).toBeLessThanOrEqual(certified)
      expect(evaluateCompositeSign(sign, -x)).toBeCloseTo(-evaluateCompositeSign(sign, x), 12)
      const first = sign.factors.slice(0, -1).reduce((t, f) => evaluateCompositeSign({ factors: [f] }, t), x)
      expect(Math.abs(first)).toBeLessThanOrEqual(1 + 1e-12)
    }
  })

  it('leaves room for noise when asked to', () => {
    const sign = compositeSign({ degrees: [7, 7], gap: 0.1, noiseMargin: 2 ** -10 })
    const [first, last] = sign.factors
    const noisy = (x: number, noise: number) =>
      evaluateCompositeSign({ factors: [last!] }, evaluateCompositeSign({ factors: [first!] }, x) + noise)
    for (let i = 0; i <= 1000; i++)
      for (const noise of [-0.9, 0, 0.9])
        expect(Math.abs(1 - noisy(0.1 + (0.9 * i) / 1000, noise * 2 ** -11))).toBeLessThanOrEqual(sign.error * 1.0001)
  })

  it('finds degrees of least depth that reach what was asked', () => {
    for (const alpha of [4, 8, 12]) {
      const found = searchCompositeDegrees({ gap: 2 ** -alpha, error: 2 ** -alpha })
      const sign = compositeSign({ degrees: found.degrees, gap: 2 ** -alpha })
      expect(sign.error).toBeLessThanOrEqual(2 ** -alpha)
      expect(sign.depth).toBe(found.depth)
      expect(() => searchCompositeDegrees({ gap: 2 ** -alpha, error: 2 ** -alpha, maxDepth: found.depth - 1 })).toThrow(
        /allow more depth/,
      )
    }
  })

  it('no composite of two factors at the searched depth does better (exhaustive, alpha = 4)', () => {
    const found = searchCompositeDegrees({ gap: 2 ** -4, error: 2 ** -4 })
    for (let a = 3; a <= 31; a += 2)
      for (let b = 3; b <= 31; b += 2) {
        const depth = Math.ceil(Math.log2(a + 1)) + Math.ceil(Math.log2(b + 1))
        if (depth >= found.depth) continue
        expect(compositeSign({ degrees: [a, b], gap: 2 ** -4 }).error).toBeGreaterThan(2 ** -4)
      }
  })

  it('refuses even degrees, gaps outside (0, 1), and degrees beyond float64', () => {
    expect(() => compositeSign({ degrees: [4], gap: 0.1 })).toThrow(/odd degrees/)
    expect(() => compositeSign({ degrees: [3], gap: 0 })).toThrow(/gap/)
    expect(() => compositeSign({ degrees: [31, 31, 31], gap: 0.5 })).toThrow(/float64/)
    expect(() => compositeSign({ degrees: [3, 3], gap: 1e-4, noiseMargin: 2 ** -8 })).toThrow(/sign is lost/)
  })
})

describe('ReLU and sign by composites', () => {
  it('scales with the range and meets a wanted error', () => {
    const relu = approximate('relu', { range: [-20, 20], method: 'composite', error: 0.02 }) as CompositePolynomial
    expect(relu.certifiedError).toBeLessThanOrEqual(0.02)
    for (let x = -20; x <= 20; x += 0.003)
      expect(Math.abs(forwardPolynomial(relu, x) - Math.max(0, x))).toBeLessThanOrEqual(relu.certifiedError)
    const sign = approximate('sign', { range: [-4, 4], gap: 0.25, method: 'composite', error: 0.01 })
    for (let x = 0.25; x <= 4; x += 0.001)
      expect(Math.abs(1 - forwardPolynomial(sign, x))).toBeLessThanOrEqual(sign.certifiedError)
  })

  it('searches degrees as shallow as the published ones, deeper only for a noise margin', () => {
    for (const [bits, depth] of [
      [6, 6],
      [8, 8],
      [11, 12],
    ] as const) {
      const relu = approximate('relu', { range: [-1, 1], method: 'composite', error: 2 ** -bits })
      expect(relu.certifiedError).toBeLessThanOrEqual(2 ** -bits)
      expect(relu.depth).toBeLessThanOrEqual(depth)
    }
    const error = 2 ** -8
    const noisy = approximate('relu', { range: [-1, 1], method: 'composite', error, noiseMargin: 2 ** -9 })
    expect(noisy.certifiedError).toBeLessThanOrEqual(error)
  })

  it('says what is missing', () => {
    expect(() => approximate('relu', { range: [-1, 2], method: 'composite', error: 0.1 })).toThrow(/symmetric/)
    expect(() => approximate('silu', { range: [-1, 1], method: 'composite', error: 0.1 })).toThrow(/take remez/)
    expect(() => approximate('sign', { range: [-1, 1], method: 'composite', error: 0.1 })).toThrow(/gap/)
    expect(() => approximate('relu', { range: [-1, 1], method: 'composite' })).toThrow(/degrees of its factors/)
    expect(() => approximate('relu', { range: [-1, 1], method: 'composite', degrees: [3], error: 1e-4 })).toThrow(
      /certified to/,
    )
  })
})
