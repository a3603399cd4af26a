import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { halve, signedSteps } from './differences.ts'
import { halfCover, looseFolds } from './folds.ts'
import { leastCost, referencePrices, termCost, transformCost } from './prices.ts'

const prices = referencePrices(512)
const residues = fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 40 })
const flagsOf = (values: readonly number[]): Uint8Array => {
  const flags = new Uint8Array(64)
  for (const v of values) flags[v] = 1
  return flags
}
const modulo = (values: readonly number[], m: number): number[] =>
  [...new Set(values.map((v) => ((v % m) + m) % m))].sort((a, b) => a - b)

describe('signedSteps', () => {
  it('keeps neighbours together and near zero', () => {
    expect(signedSteps(flagsOf([0, 1, 2, 62, 63]))).toEqual([-2, -1, 0, 1, 2])
    expect(signedSteps(flagsOf([]))).toEqual([])
    expect(signedSteps(flagsOf([5]))).toEqual([5])
    expect(signedSteps(flagsOf([0, 16, 32, 48]))).toEqual([0, 16, 32, 48])
  })
  it('keeps the residues', () => {
    fc.assert(
      fc.property(residues, (values) => {
        const steps = signedSteps(flagsOf(values))
        expect(modulo(steps, 64)).toEqual(modulo(values, 64))
        expect(steps.length).toBe(values.length)
      }),
    )
  })
})

describe('halve', () => {
  it('takes residues modulo half', () => {
    fc.assert(
      fc.property(residues, (values) => {
        const flags = halve(flagsOf(values))
        expect([...flags.keys()].filter((r) => flags[r])).toEqual(modulo(values, 32))
      }),
    )
  })
})

describe('halfCover', () => {
  it('reaches everything with itself and its shift', () => {
    fc.assert(
      fc.property(residues, fc.integer({ min: 1, max: 63 }), (values, reach) => {
        const steps = halfCover(values, reach, 64)
        const reached = new Set(modulo([...steps, ...steps.map((s) => s + reach)], 64))
        expect(values.every((v) => reached.has(v))).toBe(true)
        expect(steps.length).toBeLessThanOrEqual(values.length)
      }),
    )
  })
  it('halves a chain and a circle', () => {
    expect(halfCover([0, 1, 2, 3, 4, 5], 1, 64)).toEqual([0, 2, 4])
    expect(halfCover([0, 16, 32, 48], 16, 64)).toHaveLength(2)
  })
})

describe('looseFolds', () => {
  it('never costs more than no fold, and its shares reach everything from places of their own', () => {
    fc.assert(
      fc.property(
        residues,
        fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 6 }),
        (values, targets) => {
          const plan = looseFolds({ steps: values, period: 64, slots: 256, targets, prices })
          expect(plan.cost).toBeLessThanOrEqual(transformCost(values, 256, prices))
          const reached = new Set(
            modulo(
              plan.steps.flatMap((s) => plan.shifts.map((shift) => s + shift)),
              64,
            ),
          )
          expect(values.every((v) => reached.has(v))).toBe(true)
          const places = plan.shifts.flatMap((shift) => targets.map((t) => (t + shift) % 256))
          expect(new Set(places).size).toBe(places.length)
        },
      ),
    )
  })
})

describe('transformCost', () => {
  it('is never below the bound used for pruning', () => {
    fc.assert(
      fc.property(residues, (values) => {
        expect(transformCost(values, 64, prices)).toBeGreaterThanOrEqual(leastCost(values.length, 64, prices) - 1e-12)
      }),
    )
  })
  it('finds the grid of a convolution', () => {
    const steps = [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((x) => 32 * y + x))
    const square = transformCost(steps, 512, prices) - 9 * termCost(512, prices)
    expect(square).toBeCloseTo(Math.min(8 * prices.baby, 2 * prices.baby + 2 * prices.giant), 12)
  })
})
