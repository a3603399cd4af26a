import { describe, expect, it } from 'vitest'
import { nearestOnGrid } from './grid.ts'

describe('nearestOnGrid', () => {
  it('rounds halves upwards, whatever floating point has made of them, and clips', () => {
    for (const step of [0.25, 0.2, 1 / 3, 1 / 7]) {
      const grid = { step, count: 16 }
      for (let k = -8; k < 7; k++) {
        for (const half of [step * (k + 0.5), (k * step + (k + 1) * step) / 2, Math.fround(step) * (k + 0.5)])
          expect(nearestOnGrid(half, grid)).toBe((k + 1) * step)
        expect(nearestOnGrid((k + 0.49) * step, grid)).toBe(k * step)
      }
      expect(nearestOnGrid(100, grid)).toBe(7 * step)
      expect(nearestOnGrid(-100, grid)).toBe(-8 * step)
    }
  })
})
