import { describe, expect, it } from 'vitest'
import { minimalRoot } from './exact-plaintexts.ts'

describe('the minimal root of unity', () => {
  it('of order 8 modulo 17 is 2', () => {
    // 2, 8, 9 and 15 have order 8
    expect(minimalRoot(8, 17n)).toBe(2n)
  })
  it('of order 16 modulo 97 is the least of all', () => {
    const order = (x: bigint) => {
      let k = 1
      for (let y = x; y !== 1n; y = (y * x) % 97n) k++
      return k
    }
    const all = Array.from({ length: 96 }, (_, i) => BigInt(i + 1)).filter((x) => order(x) === 16)
    expect(minimalRoot(16, 97n)).toBe(all[0])
  })
})
