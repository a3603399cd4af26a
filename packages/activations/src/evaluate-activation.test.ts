import { createClearEngine, createParameters } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import {
  type ActivationPolynomial,
  approximate,
  evaluateActivation,
  forwardPolynomial,
  prepareActivation,
  type SeriesPolynomial,
} from './index.ts'

const parameters = createParameters({ logN: 15, levels: 14, scaleBits: 40, dnum: 15 })
const xs = Float64Array.from({ length: 64 }, (_, i) => -3.9 + (7.8 * i) / 63)

async function precisionBits(polynomial: ActivationPolynomial, normalizedInput: boolean): Promise<number> {
  await using engine = createClearEngine(parameters)
  const [lo, hi] = polynomial.range
  const input = engine.encryptClear(normalizedInput ? xs.map((x) => (2 * x - lo - hi) / (hi - lo)) : xs)
  const prepared = prepareActivation(polynomial, { normalizedInput })
  const result = prepared.apply(engine, input)
  expect(input.level - result.level).toBe(prepared.depth)
  expect(result.scale / parameters.scaleAt(result.level)).toBeCloseTo(1, 12)
  const { re } = engine.readClear(result)
  const worst = xs.reduce((most, x, i) => Math.max(most, Math.abs(re[i]! - forwardPolynomial(polynomial, x))), 0)
  return -Math.log2(worst)
}

describe('evaluateActivation on the clear engine', () => {
  const cases: [string, ActivationPolynomial][] = [
    ['relu, degree 15', approximate('relu', { range: [-4, 4], degree: 15 })],
    ['silu on a lopsided range', approximate('silu', { range: [-4, 6], degree: 12 })],
    ['square', approximate('square', { range: [-4, 4], degree: 2 })],
    ['composite relu', approximate('relu', { range: [-4, 4], method: 'composite', degrees: [7, 7, 13] })],
    ['composite sign', approximate('sign', { range: [-4, 4], gap: 0.2, method: 'composite', degrees: [7, 13] })],
  ]
  const line = approximate('relu', { range: [2, 4], degree: 7, method: 'least-squares' }) as SeriesPolynomial
  const trace = { ...line.series, coefficients: [...line.series.coefficients, 0, 1e-17, 0, 1e-17] }
  it('drops what rounding left of a line, which then takes one level', () => {
    expect(line).toMatchObject({ degree: 1, depth: 1 })
  })
  cases.push(['a line', line], ['one whose depth is that of its traces', { ...line, depth: 3, series: trace }])
  for (const [name, polynomial] of cases)
    for (const normalized of [true, false])
      it(`${name}${normalized ? ', input already in [-1, 1]' : ''}`, async () => {
        expect(await precisionBits(polynomial, normalized)).toBeGreaterThan(20)
      })

  it('says how many levels it needs', async () => {
    await using engine = createClearEngine(createParameters({ logN: 14, levels: 3, scaleBits: 40, dnum: 4 }))
    const relu = approximate('relu', { range: [-4, 4], degree: 15 })
    expect(() => evaluateActivation(engine, engine.encryptClear(xs), relu)).toThrow(/expected level >= 5, got 3/)
  })
})
