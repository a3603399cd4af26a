import { FormatError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { approximate } from './approximate.ts'
import { parsePolynomial } from './parse-polynomial.ts'

const made = {
  'a minimax series': approximate('relu', { range: [-3, 4], degree: 7 }),
  'a series by least squares': approximate('silu', { range: [-3, 4], degree: 6, method: 'least-squares' }),
  'a composite sign': approximate('sign', { range: [-2, 2], degrees: [7, 7], gap: 0.1, method: 'composite' }),
  'a composite ReLU': approximate('relu', { range: [-2, 2], degrees: [7, 7], method: 'composite' }),
}

describe.each(Object.entries(made))('%s', (_, polynomial) => {
  it('comes back from JSON as it was, to the bit', () => {
    expect(parsePolynomial(JSON.parse(JSON.stringify(polynomial)), 'act')).toEqual(polynomial)
  })
  it.each<[string, (p: Record<string, never>) => unknown]>([
    ['no object', () => null],
    ['another kind', (p) => ({ ...p, kind: 'power' })],
    ['another method', (p) => ({ ...p, method: 'guess' })],
    ['a range without length', (p) => ({ ...p, range: [1, 1] })],
    ['another degree', (p) => ({ ...p, degree: 3 })],
    ['another depth', (p) => ({ ...p, depth: 1 })],
    ['an error below 0', (p) => ({ ...p, certifiedError: -1 })],
    ['no coefficients', (p) => ({ ...p, series: { range: p.range }, factors: [{ range: [-1, 1] }] })],
    [
      'a coefficient that is no number',
      (p) => ({ ...p, series: { range: p.range, coefficients: [1, '2'] }, factors: [1] }),
    ],
  ])('with %s is refused by name', (_name, change) => {
    const data = change(JSON.parse(JSON.stringify(polynomial)))
    expect(() => parsePolynomial(data, 'layer "act"')).toThrow(FormatError)
    expect(() => parsePolynomial(data, 'layer "act"')).toThrow(/layer "act"/)
  })
})
