import { describe, expect, it } from 'vitest'
import { Decisions, isSure, twoSidedTail, unsure } from './decisions.ts'

describe('decisions of functional bootstraps', () => {
  it('are as sure as the least sure of them, and fail as often as all together at most', () => {
    const decisions = new Decisions()
    expect([decisions.margin, decisions.failureProbability]).toEqual([undefined, 0])
    decisions.add({ deviation: 1e-3, lengthened: 0 }, 1000)
    decisions.add({ deviation: 1e-3, lengthened: 0, margin: 20 }, 1000)
    decisions.add({ deviation: 1e-3, lengthened: 0, margin: 9 }, 1000)
    expect(decisions.margin).toBe(9)
    expect(decisions.failureProbability).toBeCloseTo(1000 * twoSidedTail(9), 20)
    decisions.add({ deviation: 1, lengthened: 0, margin: 0 }, 1000)
    expect(decisions.failureProbability).toBe(1)
  })
  it('have a tail that is never below that of the normal distribution', () => {
    for (const [a, p] of [
      [1, 0.3173],
      [2, 0.0455],
      [6, 1.973e-9],
      [8, 1.244e-15],
    ] as const) {
      expect(twoSidedTail(a)).toBeGreaterThan(p)
      expect(twoSidedTail(a)).toBeLessThan(1.6 * p)
    }
  })
  it('must be eight deviations from a wrong one', () => {
    expect([isSure(8), isSure(7.9)]).toEqual([true, false])
    const refusal = (asked: Parameters<typeof unsure>[1], margin = 7.9): string => {
      expect(unsure(margin, asked)).toMatchObject({ name: 'PlanError', reason: 'precision' })
      return unsure(margin, asked).message
    }
    expect(refusal({})).toMatch(/7.9 standard deviations from a wrong spike, at least 8 are wanted: train on coarser/)
    expect(refusal({}, 0.2)).toMatch(/less than one standard deviation from/)
    // whatever a caller named that another choice would do without
    expect(refusal({ functional: { set: 'N15-P16' } })).toMatch(/leave out the option functional.set/)
    expect(refusal({ functional: { margin: 11 }, logN: 15 })).toMatch(/leave out the option functional.margin/)
    expect(refusal({ logN: 15 })).toMatch(/leave out the option logN/)
    expect(refusal({ logN: 16 })).not.toMatch(/option/)
  })
})
