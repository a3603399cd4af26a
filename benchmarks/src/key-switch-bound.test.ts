import { describe, expect, it } from 'vitest'
import { digitSizes, keyBytes, keySwitchBound, keySwitchMultiplyAdds, nttMultiplyAdds } from './key-switch-bound.ts'

describe('the bound of a key switch', () => {
  const shape = { logN: 16, limbs: 24, special: 8, dnum: 3 }
  it('counts the work by hand', () => {
    expect(nttMultiplyAdds(2)).toBe(3 * 4) // two levels of two butterflies
    expect(digitSizes({ limbs: 12, dnum: 2 })).toEqual([6, 6])
    expect(digitSizes({ limbs: 7, dnum: 3 })).toEqual([3, 3, 1])
    // one limb, one special prime, one digit: transforms 1 down, 1 up, 2 down, 2 up; conversions 1 and 2; products 2 x 2
    const tiny = { logN: 2, limbs: 1, special: 1, dnum: 1 }
    expect(keySwitchMultiplyAdds(tiny)).toBe(6 * 12 + 3 * 2 * 4 + 2 * 2 * 2 * 4)
  })
  it('is the longer of computing and reading the key', () => {
    expect(keyBytes(shape) / 2 ** 20).toBe(96)
    const seconds = keySwitchBound(shape, { multiplyAdds: 29.2e9, bandwidth: 27e9 })
    expect(seconds).toBeGreaterThan(0.012)
    expect(seconds).toBeLessThan(0.016)
    expect(keySwitchBound(shape, { multiplyAdds: 1e15, bandwidth: 1e9 })).toBeCloseTo(0.1, 2)
  })
})
