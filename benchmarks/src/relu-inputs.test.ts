import { approximate, forwardPolynomial } from '@he-ml/activations'
import { describe, expect, it } from 'vitest'
import { reluInputs, reluPrecision } from './relu-inputs.ts'

const GAP = 0.03

describe('reluInputs', () => {
  it('stays in [-1, 1], holds the edges, and a quarter lies within twice the gap', () => {
    const values = reluInputs(4096, GAP, 1)
    expect(values.every((x) => Math.abs(x) <= 1)).toBe(true)
    for (const x of [0, GAP, -GAP, 1, -1]) expect(values).toContain(x)
    expect(values.filter((x) => Math.abs(x) <= 2 * GAP).length).toBeGreaterThan(1024)
    expect(values.some((x) => x !== 0 && Math.abs(x) < 2 ** -15)).toBe(true)
    expect(reluInputs(4096, GAP, 1)).toEqual(values)
    expect(reluInputs(4096, GAP, 2)).not.toEqual(values)
  })
})

describe('reluPrecision', () => {
  const polynomial = approximate('relu', { range: [-1, 1], degree: 30 })
  const inputs = reluInputs(4096, GAP, 3)
  const results = inputs.map((x) => forwardPolynomial(polynomial, x))

  it('is that of the polynomial where nothing else errs', () => {
    const { everywhere, outsideGap, polynomial: own } = reluPrecision({ polynomial, gap: GAP, inputs, results })
    expect(2 ** -everywhere).toBeLessThanOrEqual(polynomial.certifiedError)
    expect(2 ** -everywhere).toBeGreaterThan(0.95 * polynomial.certifiedError)
    expect(outsideGap).toBeGreaterThanOrEqual(everywhere)
    expect(own).toBe(Number.POSITIVE_INFINITY)
  })

  it('keeps the worst of several', () => {
    const wrong = results.map((y, i) => (i === 7 ? y + 0.25 : y))
    const first = reluPrecision({ polynomial, gap: GAP, inputs, results: wrong })
    expect(first.polynomial).toBeCloseTo(2, 12)
    expect(reluPrecision({ polynomial, gap: GAP, inputs, results }, first)).toEqual(first)
  })
})
