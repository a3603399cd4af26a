import { describe, expect, it } from 'vitest'
import {
  BOOTSTRAPPING_SETS,
  bootstrappingLiteral,
  createBootstrapping,
  createDefaultCostModel,
  createParameters,
  designRefresh,
  InvalidArgumentError,
  maxLogQP,
  PlanError,
  type RefreshNeed,
} from '../index.ts'
import { priceRefresh } from './price-refresh.ts'

const costModel = createDefaultCostModel({ threads: 1 })

describe('designRefresh', () => {
  it.each<[string, RefreshNeed]>([
    ['few levels', { levels: 4, precisionBits: 13 }],
    ['levels for two polynomials', { levels: 14, precisionBits: 13 }],
    ['many bits', { levels: 6, precisionBits: 18 }],
    ['a short period', { levels: 8, precisionBits: 13, slots: 1024 }],
    ['more bits than a sine has', { levels: 6, precisionBits: 22, scaleBits: 44, rings: [16] }],
    ['functions on the way', { levels: 6, precisionBits: 13, functionDegree: 31, rings: [16] }],
  ])('leaves the levels and bits asked for, at 128-bit security: %s', async (_, need) => {
    const { request, set, precisionBits, seconds, secondsPerValue } = await designRefresh(need, costModel)
    const circuit = createBootstrapping(set.parameters, set.spec)
    expect(circuit.usableLevels).toBe(need.levels)
    expect(circuit.failureProbability).toBe(0)
    expect(precisionBits).toBeGreaterThanOrEqual(need.precisionBits)
    expect(set.parameters.logQP).toBeLessThanOrEqual(0.97 * maxLogQP(set.parameters.logN))
    expect(secondsPerValue).toBeCloseTo(seconds / (2 * set.spec.slots), 12)
    // a request means the same primes everywhere
    expect(createParameters(bootstrappingLiteral(request)).id).toBe(set.parameters.id)
  })

  it('rejects what is cheaper for its bits or its security, and all else for its price', async () => {
    const { rejected, secondsPerValue } = await designRefresh({ levels: 10, precisionBits: 18 }, costModel)
    const of = (why: string) => rejected.filter((r) => r.why === why)
    expect(of('precision').length).toBeGreaterThan(0)
    for (const { secondsPerValue: seconds, precisionBits } of of('precision')) {
      expect(seconds).toBeLessThanOrEqual(secondsPerValue)
      expect(precisionBits).toBeLessThan(18)
    }
    for (const { secondsPerValue: seconds } of of('price')) expect(seconds).toBeGreaterThanOrEqual(secondsPerValue)
    expect(of('security').length).toBeGreaterThan(0)
  })

  it.each([
    ['N16-B10', 10, 19],
    ['N15-B4', 4, 16],
  ] as const)('finds one at least as good as %s for what that set is for', async (name, levels, bits) => {
    const named = BOOTSTRAPPING_SETS[name]
    const { logN, scaleBits, spec } = named
    const need = { levels, precisionBits: bits, scaleBits: Math.round(scaleBits), rings: [logN] }
    const design = await designRefresh({ ...need, slots: spec.slots }, costModel)
    const price = await priceRefresh(named, costModel)
    expect(price.precisionBits).toBeGreaterThan(bits)
    expect(design.seconds).toBeLessThanOrEqual(price.seconds)
  })

  it('says what it lacks', async () => {
    await expect(designRefresh({ levels: 30, precisionBits: 20 })).rejects.toThrow(PlanError)
    await expect(designRefresh({ levels: 14, precisionBits: 25 })).rejects.toThrow(
      /14 levels and 25 bits: .*fewer levels/,
    )
    await expect(designRefresh({ levels: 0, precisionBits: 13 })).rejects.toThrow(InvalidArgumentError)
    await expect(designRefresh({ levels: 4, precisionBits: 13, rings: [14] })).rejects.toThrow(/2\^15 and 2\^16/)
  })

  it.each<[string, Partial<RefreshNeed>]>([
    ['scaleBits', { scaleBits: Number.NaN }],
    ['scaleBits', { scaleBits: 10 }],
    ['rings', { rings: [] }],
    ['slots', { slots: 0 }],
    ['slots', { slots: 3 }],
    ['slots', { slots: 2 ** 17 }],
    ['slots', { slots: 2 ** 15, rings: [15] }],
    ['functionDegree', { functionDegree: 30 }],
    ['functionDegree', { functionDegree: 1 }],
  ])('refuses what no set could have: %s, %j', async (name, need) => {
    const refused = designRefresh({ levels: 4, precisionBits: 13, ...need })
    await expect(refused).rejects.toThrow(InvalidArgumentError)
    await expect(refused).rejects.toThrow(name)
  })
})
