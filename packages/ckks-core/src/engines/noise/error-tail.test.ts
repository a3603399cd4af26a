import { describe, expect, it } from 'vitest'
import { InvalidArgumentError } from '../../errors/errors.ts'
import { highRmsFactor, lowRmsFactor } from './error-tail.ts'
import { GaussianSource } from './gaussian.ts'

/** Real parts of products of two complex normal numbers, mean square 1: what rounding leaves in a slot. */
function draw(source: GaussianSource): number {
  const [a, b, c, d] = [source.next(), source.next(), source.next(), source.next()]
  return (a * c - b * d) / Math.SQRT2
}

/** What a Laplace error of mean square 1 exceeds with this probability. */
const laplaceBound = (failure: number): number => -Math.log(failure) / Math.SQRT2

const FAILURE = 2 ** -40

describe('error tails', () => {
  it('are those of Laplace errors, as rounding times a secret leaves them (seeded)', () => {
    const source = new GaussianSource(5)
    const errors = Float64Array.from({ length: 200_000 }, () => draw(source))
    const meanSquare = errors.reduce((sum, e) => sum + e * e, 0) / errors.length
    expect(meanSquare).toBeCloseTo(1, 1)
    for (const failure of [0.1, 0.01, 0.001]) {
      const beyond = errors.filter((e) => Math.abs(e) > laplaceBound(failure)).length
      expect(beyond / errors.length / failure).toBeCloseTo(1, 0)
    }
  })

  it.each([3, 10, 100])('bound the root mean square of %d errors from both sides (seeded)', (values) => {
    const source = new GaussianSource(values)
    const failure = 0.002
    const [high, low] = [highRmsFactor({ values, failure }), lowRmsFactor({ values, failure })]
    const runs = 5000
    let [above, below] = [0, 0]
    for (let run = 0; run < runs; run++) {
      let sum = 0
      for (let i = 0; i < values; i++) sum += draw(source) ** 2
      const rms = Math.sqrt(sum / values)
      if (rms > high) above++
      if (rms < low) below++
    }
    // bounds, and not idle ones: ten times the failure probability would be seen
    expect(above / runs).toBeLessThanOrEqual(failure)
    expect(below / runs).toBeLessThanOrEqual(failure)
    expect(highRmsFactor({ values, failure: 0.5 })).toBeLessThan(high)
    expect(lowRmsFactor({ values, failure: 0.5 })).toBeGreaterThan(low)
  })

  it('meet the exact tail of one error, and come close to 1 for many', () => {
    const exact = laplaceBound(FAILURE)
    expect(highRmsFactor({ values: 1, failure: FAILURE })).toBeGreaterThan(exact)
    expect(highRmsFactor({ values: 1, failure: FAILURE })).toBeLessThan(1.1 * exact)
    expect(highRmsFactor({ values: 2 ** 15, failure: FAILURE })).toBeLessThan(1.13)
    expect(lowRmsFactor({ values: 2 ** 15, failure: FAILURE })).toBeGreaterThan(0.95)
    expect(highRmsFactor({ values: 10, failure: FAILURE })).toBeCloseTo(7.4, 1)
  })

  it('refuse what is no count or no probability', () => {
    for (const bad of [
      { values: 0, failure: 0.5 },
      { values: 1.5, failure: 0.5 },
      { values: 1, failure: 0 },
      { values: 1, failure: 1 },
      { values: 1, failure: Number.NaN },
    ])
      for (const factor of [highRmsFactor, lowRmsFactor]) expect(() => factor(bad)).toThrow(InvalidArgumentError)
  })
})
