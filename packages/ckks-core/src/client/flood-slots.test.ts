import { describe, expect, it } from 'vitest'
import { SecurityError } from '../errors/errors.ts'
import type { PrivateSlots } from './client-engine.ts'
import { floodSlots, MAX_SLOT_OVER_BOUND } from './flood-slots.ts'
import { floodingSigma } from './flooding-sigma.ts'

const slots = (values: ArrayLike<number>): PrivateSlots => ({
  visibility: 'private',
  name: 'logits',
  re: Float64Array.from(values),
  im: new Float64Array(values.length),
  slots: values.length,
  level: 0,
  scale: 2 ** 40,
})
const flooding = (errorBound: number, positions: readonly number[], complex = false) => {
  const needs = { queries: 4, numbers: positions.length, statisticalBits: 40 }
  return { positions, complex, errorBound, terms: { ...needs, sigma: floodingSigma({ ...needs, errorBound }) } }
}

describe('flooding', () => {
  it('publishes only what was asked for, with noise of sigma', () => {
    const count = 20_000
    const values = Float64Array.from({ length: 32_768 }, (_, i) => i / 1000)
    const positions = Array.from({ length: count }, (_, i) => i)
    const published = floodSlots(slots(values), flooding(2 ** -25, positions))
    expect(published.re).toHaveLength(count)
    expect(published.im).toBeUndefined()
    expect(published.name).toBe('logits')
    const error = Math.sqrt(published.re.reduce((a, v, i) => a + (v - values[i]!) ** 2, 0) / count)
    // ten standard errors of 0.005 each: by chance with probability below 1e-20
    expect(Math.abs(error / published.sigma - 1)).toBeLessThan(0.05)
    expect(published.precisionBits).toBeCloseTo(-Math.log2(published.sigma), 10)
  })
  it('publishes the named slots in their order, and imaginary parts when asked', () => {
    const positions = [1023, 0, 7, 512]
    const values = Array.from({ length: 1024 }, (_, i) => i)
    const published = floodSlots(slots(values), flooding(2 ** -35, positions, true))
    expect(Array.from(published.re, (v) => Math.round(v) + 0)).toEqual(positions)
    expect(Array.from(published.im!, (v) => Math.round(v) + 0)).toEqual([0, 0, 0, 0])
  })
  it('refuses values so large that doubles lose the noise, wherever they stand', () => {
    const bound = 2 ** -50
    const most = MAX_SLOT_OVER_BOUND * bound
    const { terms } = flooding(bound, [0])
    // far stricter than the point where noise leaves a double
    expect(most).toBeLessThan(2 ** 53 * terms.sigma)
    expect(() => floodSlots(slots([most, 0]), flooding(bound, [0]))).not.toThrow()
    for (const values of [
      [2 * most, 0],
      [0, -2 * most],
      [0, Number.NaN],
      [2 ** 53 * terms.sigma, 0],
      [0, 1e300],
    ])
      expect(() => floodSlots(slots(values), flooding(bound, [0])), `${values}`).toThrow(SecurityError)
    const imaginary = { ...slots([0, 0]), im: Float64Array.of(0, 2 * most) }
    expect(() => floodSlots(imaginary, flooding(bound, [0]))).toThrow(/doubles would lose the noise/)
  })
})
