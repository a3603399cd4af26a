import { describe, expect, it } from 'vitest'
import { accuracyPercent, agreementPercent, argmax, logitsBits } from './logits.ts'

const of = (...values: number[]) => Float64Array.of(...values)

describe('logits', () => {
  it('decide and are compared', () => {
    expect(argmax(of(1, 5, 3))).toBe(1)
    const clear = [of(0, 8), of(4, 0)]
    const encrypted = [of(0.5, 8), of(4, 4.25)]
    expect(agreementPercent(encrypted, clear)).toBe(50)
    expect(agreementPercent(encrypted.slice(0, 1), clear)).toBe(100)
    expect(accuracyPercent(encrypted, [1, 1])).toBe(100)
    expect(logitsBits([of(0.5, 8)], [of(0, 8)])).toBe(4) // 0.5 of a range of 8
  })
})
