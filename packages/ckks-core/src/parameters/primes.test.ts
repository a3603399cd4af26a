import { describe, expect, it } from 'vitest'
import { BOOTSTRAPPING_SETS, bootstrappingLiteral } from '../circuits/index.ts'
import { InvalidArgumentError } from '../errors/errors.ts'
import { nearestPrime } from './primes.ts'

describe('nearestPrime', () => {
  it('is as near as there is one', () => {
    expect(nearestPrime(2 ** 20, 5, new Set())).toBe(1048897)
    expect(nearestPrime(2 ** 20, 5, new Set([1048897]))).not.toBe(1048897)
    expect(nearestPrime(2 ** 48, 16, new Set())).toBeLessThan(2 ** 48)
  })
  it('refuses at once what no prime of ours can be', () => {
    for (const target of [2 ** 48.5, 2 ** 60, Number.POSITIVE_INFINITY, Number.NaN])
      expect(() => nearestPrime(target, 16, new Set())).toThrow(InvalidArgumentError)
    expect(() => bootstrappingLiteral({ ...BOOTSTRAPPING_SETS['N16-B10'], levels: 2, baseBits: 60 })).toThrow(
      /a prime of 60.00 bits: primes have less than 48/,
    )
  })
})
