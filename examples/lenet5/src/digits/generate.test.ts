import { describe, expect, it } from 'vitest'
import { DIGIT_SIZE, drawDigit, drawDigits } from './generate.ts'

describe('drawn digits', () => {
  it('depend on label and seed only', () => {
    expect(drawDigit(3, 7)).toEqual(drawDigit(3, 7))
    expect(drawDigit(3, 7).pixels).not.toEqual(drawDigit(3, 8).pixels)
  })
  it('are MNIST-like: 28 x 28 in [0, 1], some ink, next to none on the border, centred by mass', () => {
    for (const { pixels, label } of drawDigits(100, 11)) {
      expect(pixels.length).toBe(DIGIT_SIZE * DIGIT_SIZE)
      const ink = pixels.reduce((a, b) => a + b, 0)
      expect(Math.min(...pixels)).toBe(0)
      expect(Math.max(...pixels)).toBeLessThanOrEqual(1)
      expect(ink, `digit ${label}`).toBeGreaterThan(25)
      expect(ink).toBeLessThan(220)
      const mean = (f: (i: number) => number) => pixels.reduce((sum, v, i) => sum + v * f(i), 0) / ink
      expect(Math.abs(mean((i) => (i % DIGIT_SIZE) + 0.5) - 14)).toBeLessThan(0.6)
      expect(Math.abs(mean((i) => Math.floor(i / DIGIT_SIZE) + 0.5) - 14)).toBeLessThan(0.6)
      // the figure fits 20 x 20; centring by mass moves it by a few pixels at most
      const edge = (row: number) => pixels.slice(row * DIGIT_SIZE, (row + 1) * DIGIT_SIZE).reduce((a, b) => a + b, 0)
      expect(edge(0) + edge(DIGIT_SIZE - 1)).toBeLessThan(0.02 * ink)
    }
  })
  it('refuses a label outside 0 to 9', () => {
    expect(() => drawDigit(10, 1)).toThrow(RangeError)
  })
})
