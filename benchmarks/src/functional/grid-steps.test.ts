import { describe, expect, it } from 'vitest'
import { randomSource } from '../bootstrapping/random-slots.ts'
import { angleDeviation, gridStep, gridValues, wrongDecisions } from './grid-steps.ts'

describe('grid steps', () => {
  it('count decisions on the wrong side, and values that are no numbers', () => {
    const step = gridStep(16, 2)
    const values = { re: Float64Array.of(-8, 1, 2, 7), im: Float64Array.of(2, 0, 0, 0) }
    const right = { re: Float64Array.of(0.01, 0, 1.02, 0.9), im: Float64Array.of(1, 0, 0, 0) }
    expect(wrongDecisions(step, values, right)).toBe(0)
    expect(wrongDecisions(step, values, { ...right, re: Float64Array.of(0.7, 0, 0.4, Number.NaN) })).toBe(3)
    expect(wrongDecisions(step, values, { ...right, im: new Float64Array(4) })).toBe(1)
    const real = { ...values, im: new Float64Array(4) }
    expect(wrongDecisions(step, real, { ...right, im: new Float64Array(4).fill(9) })).toBe(0)
  })
  it('draw every point', () => {
    const { re, im } = gridValues(16, 4096, 'complex', randomSource(3))
    expect(new Set(re)).toEqual(new Set(Array.from({ length: 16 }, (_, i) => i - 8)))
    expect(im).not.toEqual(re)
    expect(gridValues(16, 8, 'real', randomSource(3)).im).toEqual(new Float64Array(8))
  })
  it('measure the angle in steps', () => {
    const indices = Float64Array.of(0, 3, -5)
    const off = indices.map((k, i) => (2 * Math.PI * (k + (i % 2 === 0 ? 0.1 : -0.1))) / 16)
    expect(angleDeviation(16, indices, off.map(Math.cos), off.map(Math.sin))).toBeCloseTo(0.1, 3)
  })
})
