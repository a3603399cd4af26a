import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { add, multiply, rotate, shiftRight, word } from './word-64.ts'
import { xxHash64 } from './xx-hash-64.ts'

const hex = (text: string) => {
  const { high, low } = xxHash64(new TextEncoder().encode(text))
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('')
}

describe('xxHash64', () => {
  it('gives the published values', () => {
    expect(hex('')).toBe('ef46db3751d8e999')
    expect(hex('a')).toBe('d24ec4f1a98c6e5b')
    expect(hex('abc')).toBe('44bc2cf5ad770999')
    expect(hex('Nobody inspects the spammish repetition')).toBe('fbcea83c8a378bf1')
  })
})

describe('words of 64 bits', () => {
  it('are integers modulo 2^64', () => {
    const half = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    const big = ({ high, low }: { high: number; low: number }) =>
      BigInt.asUintN(64, (BigInt(high) << 32n) | BigInt(low >>> 0))
    fc.assert(
      fc.property(
        half,
        half,
        half,
        half,
        fc.integer({ min: 1, max: 31 }),
        fc.integer({ min: 1, max: 63 }),
        (a, b, c, d, r, s) => {
          const [x, y] = [word(a, b), word(c, d)]
          expect(big(add(x, y))).toBe(BigInt.asUintN(64, big(x) + big(y)))
          expect(big(multiply(x, y))).toBe(BigInt.asUintN(64, big(x) * big(y)))
          expect(big(rotate(x, r))).toBe(BigInt.asUintN(64, (big(x) << BigInt(r)) | (big(x) >> BigInt(64 - r))))
          expect(big(shiftRight(x, s))).toBe(big(x) >> BigInt(s))
        },
      ),
      { numRuns: 2000 },
    )
  })
})
