import { describe, expect, it } from 'vitest'
import { sinePolynomial } from './sine-polynomial.ts'

/** Bits of the largest and the root mean square error over messages in [-1, 1]. */
function errors(degree: number, logMessageRatio: number, f: (message: number) => number) {
  const end = (2 * Math.PI) / 2 ** logMessageRatio
  const p = sinePolynomial(degree, end, f)
  const off = Array.from({ length: 4001 }, (_, i) => {
    const message = i / 2000 - 1
    return Math.abs(p.atReal(Math.sin(message * end) / Math.sin(end)) - f(message))
  })
  return {
    depth: p.depth,
    largest: -Math.log2(Math.max(...off)),
    rms: -0.5 * Math.log2(off.reduce((sum, e) => sum + e * e, 0) / off.length),
  }
}

describe('polynomials of a sine', () => {
  it.each([
    [3, 7, 24],
    [3, 8, 28],
    [7, 4, 22.5],
    [15, 3, 25.5],
  ])('degree %i straightens a sine of a 2^-%i part of the period to %f bits', (degree, ratio, bits) => {
    expect(errors(degree, ratio, (m) => m).largest).toBeGreaterThan(bits)
  })

  it('are as good for functions with a corner as their degree allows: |x| of degree d errs by 0.28 / d at least', () => {
    for (const [degree, largest, rms] of [
      [31, 7.1, 9.1],
      [63, 8.2, 10.5],
    ] as const) {
      const got = errors(degree, 6, (m) => Math.max(0, m))
      expect(got.largest).toBeGreaterThan(largest)
      expect(got.largest).toBeLessThan(-Math.log2(0.28 / (degree - 1) / 2))
      expect(got.rms).toBeGreaterThan(rms)
      expect(got.depth).toBe(Math.log2(degree + 1))
    }
  })

  it('leave out what nobody sees', () => {
    const identity = sinePolynomial(7, (2 * Math.PI) / 2 ** 9, (m) => m)
    expect(identity.coefficients.re.filter((c) => c !== 0).length).toBeLessThan(4)
    const relu = sinePolynomial(31, (2 * Math.PI) / 2 ** 8, (m) => Math.max(0, m))
    expect(relu.coefficients.re.filter((c, k) => k % 2 === 1 && c !== 0)).toHaveLength(1)
    // an even smooth function is fitted to the last bit, once
    expect(errors(15, 5, (m) => Math.cos(m)).largest).toBeGreaterThan(25)
  })
})
