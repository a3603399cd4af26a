import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { binOf } from './bin-of.ts'

describe('binOf', () => {
  it('puts boundaries into the part that begins there', () => {
    for (let i = 0; i < 100; i++) expect(binOf(i, 100, 100)).toBe(i)
    for (let i = 0; i < 100; i++) expect(binOf(1000 * i, 100, 100_000)).toBe(i)
    // 29 / 100 * 100 in doubles is below 29
    expect(Math.floor((29 / 100) * 100)).toBe(28)
  })

  it('is the integer quotient, also where the product is beyond 2^53', () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger().filter((t) => t > 0),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 65_536 }),
        fc.integer({ min: -2, max: 2 }),
        (total, share, parts, near) => {
          // near a boundary of two parts, where rounding would show
          const boundary = (BigInt(total) * BigInt(Math.floor(share * parts))) / BigInt(parts)
          const at = Number(boundary) + near
          if (at < 0 || at >= total) return
          expect(BigInt(binOf(at, parts, total))).toBe((BigInt(at) * BigInt(parts)) / BigInt(total))
        },
      ),
      { numRuns: 2000 },
    )
  })
})
