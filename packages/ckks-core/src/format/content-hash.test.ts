import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, contentHash } from './content-hash.ts'

describe('canonical JSON', () => {
  it('sorts keys, drops undefined, keeps arrays', () => {
    expect(canonicalJson({ b: [2, 1], a: { d: undefined, c: 1e21 }, '\u00e9': 'x' })).toBe(
      '{"a":{"c":1e+21},"b":[2,1],"\u00e9":"x"}',
    )
  })
  it('does not depend on the order of insertion, and parses back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })), (record) => {
        const reversed = Object.fromEntries(Object.entries(record).reverse())
        expect(contentHash(reversed)).toBe(contentHash(record))
        expect(canonicalJson(JSON.parse(canonicalJson(record)))).toBe(canonicalJson(record))
      }),
    )
  })
  it('refuses what JSON cannot say, with its path', () => {
    expect(() => canonicalJson({ a: [1, Number.NaN] })).toThrow(/\$\.a\[1\] is NaN/)
    expect(() => canonicalJson({ a: () => 1 })).toThrow(/\$\.a is a function/)
  })
})
