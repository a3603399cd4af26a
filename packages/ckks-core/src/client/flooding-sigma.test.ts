import { describe, expect, it } from 'vitest'
import { InvalidArgumentError } from '../errors/errors.ts'
import { floodingSigma } from './flooding-sigma.ts'

describe('floodingSigma', () => {
  const of = { errorBound: 2 ** -40, queries: 100, numbers: 10, statisticalBits: 40 }

  it('follows the formula, and keeps the KL divergence below 2^-statisticalBits', () => {
    const sigma = floodingSigma(of)
    expect(sigma).toBeCloseTo(2 ** -40 * Math.sqrt(24_000) * 2 ** 20, 20)
    const divergence = (of.queries * of.numbers * of.errorBound ** 2) / (2 * sigma ** 2)
    expect(divergence).toBeLessThan(2 ** -40)
  })
  it('refuses arguments out of range', () => {
    for (const bad of [
      { queries: 0 },
      { numbers: 0.5 },
      { errorBound: 0 },
      { errorBound: NaN },
      { statisticalBits: 5 },
    ])
      expect(() => floodingSigma({ ...of, ...bad }), JSON.stringify(bad)).toThrow(InvalidArgumentError)
  })
})
