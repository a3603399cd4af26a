import { InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { bits, chainGrowth, overall, slotErrors } from './accuracy.ts'
import { randomSlots, randomSource } from './random-slots.ts'

const slots = (...re: number[]) => ({ re: Float64Array.from(re), im: new Float64Array(re.length) })

describe('errors of slots', () => {
  it('are distances in the plane', () => {
    const got = { re: Float64Array.of(1, 3), im: Float64Array.of(0, 4) }
    expect(slotErrors(got, slots(1, 0))).toEqual({ mean: 2.5, max: 5 })
    expect(bits(slotErrors(slots(0.25), slots(0)).max)).toBe(2)
    expect(() => slotErrors(slots(1), slots(1, 2))).toThrow(InvalidArgumentError)
  })
  it('do not hide a value that is not a number', () => {
    expect(slotErrors(slots(Number.NaN, 0), slots(0, 0)).max).toBeNaN()
  })
  it('of many ciphertexts are averaged, the largest kept', () => {
    const errors = [
      { mean: 1, max: 2 },
      { mean: 3, max: 9 },
    ]
    expect(overall(errors)).toEqual({ mean: 2, max: 9 })
    expect(() => overall([])).toThrow(InvalidArgumentError)
  })
  it('of a chain are compared with sums of single ones', () => {
    const single = { mean: 1, max: 4 }
    const straight = [1, 2, 3].map((k) => ({ mean: k, max: 4 * k }))
    expect(chainGrowth(straight, single)).toEqual({ mean: 1, max: 1 })
    expect(chainGrowth([...straight, { mean: 8, max: 8 }], single)).toEqual({ mean: 2, max: 1 })
    expect(() => chainGrowth([single], single)).toThrow(InvalidArgumentError)
  })
})

describe('random slots', () => {
  it('fill the unit disc, the same for the same seed', () => {
    const { re, im } = randomSlots(4096, 'complex', randomSource(7))
    const radii = re.map((x, i) => Math.hypot(x, im[i]!))
    expect(Math.max(...radii)).toBeLessThanOrEqual(1)
    // half of the disc's area lies beyond 1 / sqrt 2
    expect(radii.filter((r) => r > Math.SQRT1_2).length / 4096).toBeCloseTo(0.5, 1)
    expect(re.filter((x) => x > 0).length / 4096).toBeCloseTo(0.5, 1)
    expect(randomSlots(4096, 'complex', randomSource(7))).toEqual({ re, im })
    expect(randomSlots(4096, 'complex', randomSource(8))).not.toEqual({ re, im })
  })
  it('are real when asked', () => {
    const { re, im } = randomSlots(1024, 'real', randomSource(1))
    expect(im.every((x) => x === 0)).toBe(true)
    expect(re.every((x) => Math.abs(x) <= 1)).toBe(true)
    expect(Math.min(...re)).toBeLessThan(-0.9)
  })
})
