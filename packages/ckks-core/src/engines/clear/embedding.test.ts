import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coefficientsOf, largestCoefficient, slotsOf } from './embedding.ts'

/** Slots of a polynomial of degree below 2 n, straight from the definition. */
function slotsByDefinition(coefficients: readonly number[]) {
  const degree = coefficients.length
  const re = new Float64Array(degree / 2)
  const im = new Float64Array(degree / 2)
  let exponent = 1
  for (let j = 0; j < degree / 2; j++) {
    for (const [k, c] of coefficients.entries()) {
      re[j]! += c * Math.cos((Math.PI * exponent * k) / degree)
      im[j]! += c * Math.sin((Math.PI * exponent * k) / degree)
    }
    exponent = (exponent * 5) % (2 * degree)
  }
  return { re, im }
}

describe('the embedding', () => {
  const coefficients = Float64Array.from({ length: 64 }, (_, i) => Math.sin(i * i + 1))
  it('is the definition', () => {
    const want = slotsByDefinition([...coefficients])
    const got = slotsOf(coefficients)
    for (let j = 0; j < 32; j++) {
      expect(got.re[j]).toBeCloseTo(want.re[j]!, 12)
      expect(got.im[j]).toBeCloseTo(want.im[j]!, 12)
    }
  })
  it('undoes itself', () => {
    for (const [k, c] of coefficientsOf(slotsOf(coefficients)).entries()) expect(c).toBeCloseTo(coefficients[k]!, 12)
  })
})

describe('largestCoefficient', () => {
  it('of a constant is the constant', () => {
    expect(largestCoefficient({ re: new Float64Array(64).fill(-3) })).toBeCloseTo(3, 12)
    expect(largestCoefficient({ re: Float64Array.of(2) })).toBeCloseTo(2, 12)
  })
  it('inverts the embedding', () => {
    const coefficients = fc
      .integer({ min: 1, max: 7 })
      .chain((log) =>
        fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 2 ** log, maxLength: 2 ** log }),
      )
    fc.assert(
      fc.property(coefficients, (c) => {
        expect(largestCoefficient(slotsByDefinition(c))).toBeCloseTo(Math.max(...c.map(Math.abs)), 9)
      }),
    )
  })
  it('of random slots is far below the slots', () => {
    const re = Float64Array.from({ length: 4096 }, (_, i) => Math.sin(i * i))
    expect(largestCoefficient({ re })).toBeLessThan(0.06)
  })
})
