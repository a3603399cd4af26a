import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidArgumentError, LevelError, PlanError, SecurityError } from '../errors/errors.ts'
import { createParameters, insecureParameters, resolveParameters } from './create-parameters.ts'
import { isSecure } from './parameters.ts'
import { isPrime, nearestPrime } from './primes.ts'
import {
  parametersForDepth,
  RECOMMENDED,
  type RecommendedName,
  recommendedLogQP,
  recommendedParameters,
} from './recommended.ts'
import { assertSecure, MAX_LOG_QP_128, maxLogQP } from './security.ts'

const names = Object.keys(RECOMMENDED) as RecommendedName[]

describe('primes', () => {
  it('knows small primes, Carmichael numbers and strong pseudoprimes', () => {
    const below100 = Array.from({ length: 100 }, (_, i) => i).filter(isPrime)
    expect(below100).toHaveLength(25)
    for (const n of [561, 1105, 1729, 2047, 3215031751, 3825123056546, 2 ** 47]) expect(isPrime(n)).toBe(false)
    for (const n of [65537, 2 ** 31 - 1, 281474976710597]) expect(isPrime(n)).toBe(true)
    for (const n of [-7, 0, 1, 2.5, Number.NaN, 2 ** 60]) expect(isPrime(n)).toBe(false)
  })
  it('finds the nearest of the right form', () => {
    const prime = nearestPrime(2 ** 40, 14, new Set())
    expect(prime % 2 ** 15).toBe(1)
    expect(Math.abs(prime / 2 ** 40 - 1)).toBeLessThan(1e-4)
    const other = nearestPrime(2 ** 40, 14, new Set([prime]))
    expect(other).not.toBe(prime)
    expect(() => nearestPrime(2 ** 12, 14, new Set())).toThrow(InvalidArgumentError)
  })
  it('are deterministic', () => {
    const request = { logN: 12, levels: 4, scaleBits: 30 }
    expect(resolveParameters(request)).toEqual(resolveParameters(request))
  })
})

describe('createParameters', () => {
  it('refuses moduli above the table and names the excess and the ring that would do', () => {
    expect(() => createParameters({ logN: 13, levels: 6, scaleBits: 40 })).toThrow(SecurityError)
    expect(() => createParameters({ logN: 13, levels: 6, scaleBits: 40 })).toThrow(
      /214 at logN 13 by .* bits; the smallest logN that would do is 14/,
    )
    expect(() => assertSecure(17, 4000, 'x')).toThrow(/no supported ring/)
    for (const [logN, bits] of Object.entries(MAX_LOG_QP_128)) {
      expect(() => assertSecure(Number(logN), bits, 'x')).not.toThrow()
      expect(() => assertSecure(Number(logN), bits + 0.01, 'x')).toThrow(SecurityError)
    }
    expect(() => maxLogQP(9)).toThrow(InvalidArgumentError)
  })
  it('keeps test-only parameters apart', () => {
    const parameters = insecureParameters({ logN: 10, levels: 8, scaleBits: 40 })
    expect(isSecure(parameters)).toBe(false)
    expect(parameters.securityMargin).toBeLessThan(0)
    expect(isSecure(recommendedParameters('N12-L1'))).toBe(true)
  })
  it('gives one id to one literal, and another to any other', () => {
    const a = createParameters({ logN: 13, levels: 2, scaleBits: 30 })
    const again = createParameters(JSON.parse(JSON.stringify(a)))
    expect(again.id).toBe(a.id)
    expect(createParameters({ logN: 13, levels: 2, scaleBits: 31 }).id).not.toBe(a.id)
    expect(createParameters({ ...a.toJSON(), scale: a.scale * 2 }).id).not.toBe(a.id)
  })
  it('refuses malformed literals', () => {
    const good = createParameters({ logN: 13, levels: 2, scaleBits: 30 }).toJSON()
    const bad = [
      { ...good, logN: 9 },
      { ...good, q: [] },
      { ...good, q: [[], ...good.q.slice(1)] },
      { ...good, q: [[good.q[0]![0]! + 2], ...good.q.slice(1)] },
      { ...good, q: [good.q[1]!, ...good.q.slice(1)] },
      { ...good, p: [] },
      { ...good, digitLimbs: 0 },
      { ...good, digitLimbs: 3 },
      { ...good, scale: 0 },
      { ...good, scale: Number.NaN },
    ]
    for (const literal of bad) expect(() => createParameters(literal)).toThrow(InvalidArgumentError)
  })
  it('counts limbs, levels and digits', () => {
    const p = insecureParameters({ logN: 10, levels: 4, scaleBits: 56, baseBits: 60, dnum: 2 })
    expect(p.qLimbs).toHaveLength(10)
    expect([0, 1, 4].map((l) => p.limbsAt(l))).toEqual([2, 4, 10])
    expect([0, 2, 4].map((l) => p.digitsAt(l))).toEqual([1, 2, 2])
    expect(p.logQAt(4)).toBeCloseTo(p.logQ, 9)
    for (const level of [-1, 5, 1.5]) expect(() => p.limbsAt(level)).toThrow(LevelError)
  })
  it('keeps scales near the nominal one, with one or two primes a level', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 15 }),
        fc.integer({ min: 30, max: 64 }),
        fc.integer({ min: 1, max: 12 }),
        (logN, scaleBits, levels) => {
          const p = insecureParameters({ logN, levels, scaleBits })
          for (let l = 0; l <= levels; l++) {
            expect(Math.abs(p.scaleAt(l) / p.scale - 1)).toBeLessThan(0.02)
            if (l > 0) expect(p.scaleAt(l) ** 2 / p.groupProduct(l)).toBe(p.scaleAt(l - 1))
          }
          expect(new Set([...p.qLimbs, ...p.p]).size).toBe(p.qLimbs.length + p.p.length)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('recommended sets', () => {
  it.each(names)('%s stays 3 %% below the table and its scales within 2 %%', (name) => {
    const p = recommendedParameters(name)
    expect(name).toBe(`N${p.logN}-L${p.maxLevel}`)
    expect(p.logQP).toBeLessThanOrEqual(recommendedLogQP(p.logN))
    for (let l = 0; l <= p.maxLevel; l++) expect(Math.abs(p.scaleAt(l) / p.scale - 1)).toBeLessThan(0.02)
    expect(p.logQAt(0)).toBeGreaterThan(Math.log2(p.scale) + 4)
    expect(p.q.slice(1).every((group) => group.length === 1)).toBe(true)
  })
  it('never change: keys and ciphertexts carry these ids', () => {
    expect(Object.fromEntries(names.map((name) => [name, recommendedParameters(name).id]))).toMatchInlineSnapshot(`
      {
        "N12-L1": "2dd310f059b92298e3957bb3bd5cabd5",
        "N12-L2": "3d976489596caf7a6fde372f0378c014",
        "N13-L3": "dee9aa90e71f29f3e8ccfb5122735ede",
        "N13-L4": "f7cf62e8e50e5ce9ef43e93bbacf3317",
        "N13-L5": "585f3050b77ef3bc037d9dcabd53b4e2",
        "N14-L6": "1ed14cbf2ee58f4a726d55a65fdcb3be",
        "N14-L8": "e70d463dd2297144bab374bb41edb207",
        "N14-L9": "99fc90332446dba2fcae90c3de3fda5f",
        "N15-L10": "134ca5105f260b1ab73893fc2540dc27",
        "N15-L13": "94a22c09b32052b33c9de0eaf6c1530c",
        "N15-L16": "1f2e5aca6f4446ee3a8d51fd0a002c48",
        "N16-L20": "012df782797c9fc9ca291cb49a0c7a64",
        "N16-L24": "f729b05dd6e7c3d28d17a4c3a718397a",
        "N16-L28": "6d2bd6b3f281e10bb39fa25bd3e732af",
        "N16-L32": "8421d5c77154b583e08d42c00d7d323c",
      }
    `)
  })
  it('are made once, and known by name', () => {
    expect(recommendedParameters('N13-L3')).toBe(recommendedParameters('N13-L3'))
    expect(() => recommendedParameters('N11-L1' as RecommendedName)).toThrow(/known: N12-L1/)
  })
})

describe('parametersForDepth', () => {
  it('takes the smallest ring, then the fewest digits', () => {
    const shape = (depth: number, scaleBits: number) => {
      const p = parametersForDepth({ depth, scaleBits })
      return [p.logN, p.maxLevel, p.digitsAt(p.maxLevel), p.p.length]
    }
    expect([shape(1, 28), shape(4, 30), shape(8, 36), shape(12, 40), shape(24, 42)]).toMatchInlineSnapshot(`
      [
        [
          12,
          1,
          2,
          1,
        ],
        [
          13,
          4,
          5,
          1,
        ],
        [
          14,
          8,
          5,
          2,
        ],
        [
          15,
          12,
          3,
          5,
        ],
        [
          16,
          24,
          3,
          9,
        ],
      ]
    `)
  })
  it('is secure for everything it returns', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 25, max: 46 }), (depth, scaleBits) => {
        const p = parametersForDepth({ depth, scaleBits })
        expect(p.maxLevel).toBe(depth)
        expect(p.logQP).toBeLessThanOrEqual(recommendedLogQP(p.logN))
      }),
      { numRuns: 25 },
    )
  })
  it('obeys ring, slots, digits and base', () => {
    expect(parametersForDepth({ depth: 2, scaleBits: 30, logN: 15 }).logN).toBe(15)
    expect(parametersForDepth({ depth: 2, scaleBits: 30, slots: 2 ** 13 }).logN).toBe(14)
    expect(parametersForDepth({ depth: 8, scaleBits: 30, dnum: 1 }).digitLimbs).toBe(9)
    expect(parametersForDepth({ depth: 3, scaleBits: 30, baseBits: 60 }).limbsAt(0)).toBe(2)
  })
  it('says what is missing', () => {
    expect.assertions(5)
    try {
      parametersForDepth({ depth: 60, scaleBits: 45 })
    } catch (error) {
      expect(error).toBeInstanceOf(PlanError)
      expect((error as PlanError).reason).toBe('security')
      expect((error as PlanError).message).toMatch(
        /depth 60 at scaleBits 45: log2\(QP\) would be at least \d+, .* so \d+ bits are missing/,
      )
    }
    expect(() => parametersForDepth({ depth: 9, scaleBits: 40, logN: 13 })).toThrow(/raise logN/)
    expect(() => parametersForDepth({ depth: 1, scaleBits: 30, slots: 2 ** 16 })).toThrow(InvalidArgumentError)
  })
})
