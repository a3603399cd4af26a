import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidArgumentError, PlanError } from '../../errors/errors.ts'
import { gridFunction } from './grid-function.ts'

const centred = (points: number, f: (index: number) => number) =>
  Array.from({ length: points }, (_, i) => i - points / 2).map((index) => ({ index, value: f(index) }))

describe('gridFunction', () => {
  it('meets any values at any points, whatever their weights', () => {
    const cases = fc
      .record({ points: fc.integer({ min: 3, max: 256 }), seed: fc.integer({ min: 1, max: 1e6 }) })
      .map(({ points, seed }) => {
        const random = (i: number) => Math.abs(Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453) % 1
        const values = Array.from({ length: points }, (_, i) => i)
          .filter((i) => i < 2 || random(i) < 0.8)
          .map((index, i) => ({ index, value: 10 * random(3 * i) - 5, weight: 2 ** (-20 * random(5 * i)) }))
        return { points, values }
      })
    fc.assert(
      fc.property(cases, ({ points, values }) => {
        const f = gridFunction({ points, values })
        for (const { index, value } of values) expect(f.at(index / points)).toBeCloseTo(value, 5)
      }),
      { numRuns: 25 },
    )
  })

  it.each([
    [16, 7],
    [32, 15],
    [64, 31],
  ])('a step of %i points needs degree %i only, and is mild at its points', (points, degree) => {
    const step = gridFunction({ points, values: centred(points, (k) => (k >= 4 ? 1 : 0)), cleaned: true })
    expect(step).toMatchObject({ degree, depth: Math.log2(degree + 1) + 2 })
    expect(step.slope).toBeLessThan(0.45)
    expect(step.largestSlope).toBeLessThan(0.85)
  })

  it('knows its slopes', () => {
    const values = centred(32, (k) => Math.floor((k - (k >= 4 ? 4 : 0)) / 2 + 0.5)).slice(4, -4)
    const f = gridFunction({ points: 32, values })
    const slopes = values.map(({ index }) => (f.at((index + 1e-4) / 32) - f.at((index - 1e-4) / 32)) / 2e-4)
    expect(f.largestSlope).toBeCloseTo(Math.max(...slopes.map(Math.abs)), 4)
    expect(f.slope).toBeCloseTo(Math.sqrt(slopes.reduce((sum, s) => sum + s * s, 0) / slopes.length), 4)
  })

  it('is flatter with points that never occur, and with higher degrees', () => {
    const reset = (k: number) => (k - (k >= 4 ? 4 : 0)) / 2
    const values = centred(16, reset)
    const all = gridFunction({ points: 16, values: values.slice(1) })
    const free = gridFunction({ points: 16, values: values.slice(3, -1) })
    const higher = gridFunction({ points: 16, values: values.slice(3, -1), degree: 15 })
    expect(free.slope).toBeLessThan(0.97 * all.slope)
    expect(higher.slope).toBeLessThan(0.85 * free.slope)
    // smooth, not flat: no condition is put on the slopes
    expect(higher.slope).toBeGreaterThan(0.3)
  })

  it.each([
    [16, 3],
    [64, 6],
  ])('of %i points made for noise lets little of an error arrive, at every point', (points, threshold) => {
    const values = centred(points, (k) => Math.floor((k - (k >= threshold ? threshold : 0)) / 2 + 0.5)).slice(2, -2)
    const through = gridFunction({ points, values, degree: points - 1 })
    const beside = gridFunction({ points, values, noise: 0.03 })
    expect(beside.degree).toBe(points - 1)
    for (const { index, value } of values) {
      // close, though not through it
      expect(Math.abs(beside.at(index / points) - value)).toBeLessThan(0.01)
      expect(beside.wantedAt(index / points)).toBe(value)
      expect(beside.wantedAt((index + points) / points)).toBe(value)
      expect(beside.wantedAt((index + 0.1) / points)).toBe(beside.at((index + 0.1) / points))
    }
    expect(through.worstError(0.04)).toBeGreaterThan(points === 64 ? 0.06 : 0.018)
    expect(beside.worstError(0.04)).toBeLessThan((points === 64 ? 0.3 : 0.5) * through.worstError(0.04))
    // lengths cannot be made up for as well, but are hardly worse
    expect(beside.worstError(0, 0.01)).toBeLessThan(1.05 * through.worstError(0, 0.01))
    // smooth beyond the errors it is made for, and no larger between points that never occur than that takes
    expect(beside.worstAt(0.125)).toBeLessThan(points === 64 ? 0.11 : 0.05)
    expect(beside.worstAt(0.25)).toBeLessThan(points === 64 ? 0.45 : 0.18)
    const everywhere = Array.from({ length: 4096 }, (_, i) => Math.abs(beside.at(i / 4096)))
    expect(Math.max(...everywhere)).toBeLessThan(points === 64 ? 200 : 47)
  })

  it.each([
    ['sin', 16, (k: number) => Math.sin((2 * Math.PI * k) / 16), 0, 0.07],
    ['a sigmoid', 64, (k: number) => 1 / (1 + Math.exp(-k / 6)), 2, 0.02],
    ['gelu', 64, (k: number) => k / (1 + Math.exp(-1.702 * (k / 8))), 2, 0.3],
  ])('takes smooth functions for noise: %s', (_, points, f, ends, near) => {
    const values = centred(points, f).slice(ends, ends === 0 ? undefined : -ends)
    const made = gridFunction({ points, values, noise: 0.03 })
    expect(made.degree).toBeLessThanOrEqual(points)
    for (const { index, value } of values) expect(Math.abs(made.at(index / points) - value)).toBeLessThan(near)
  })

  it('knows how errors arrive where they arrive worst', () => {
    const values = centred(16, (k) => (k < 3 ? k : k - 3)).slice(1, -1)
    const f = gridFunction({ points: 16, values })
    expect(f.worstError(0)).toBeLessThan(1e-6)
    // small ones by the slope
    expect(f.worstError(1e-3) / (1e-3 * f.largestSlope)).toBeCloseTo(1, 2)
    const radial = values.map(({ index, value }) => {
      const angle = (2 * Math.PI * index) / 16
      const length = 1 + (2 * Math.PI * 1e-3) / 16
      return Math.abs(f.atAngle({ re: length * Math.cos(angle), im: length * Math.sin(angle) }) - value)
    })
    expect(f.worstError(0, 1e-3) / Math.max(...radial)).toBeCloseTo(1, 2)
    // of one error, to either side
    expect(f.worstAt(1e-3) / f.worstError(1e-3)).toBeCloseTo(1, 2)
    expect(f.worstAt(0.5)).toBeCloseTo(
      Math.max(
        ...values.flatMap(({ index, value }) => [0.5, -0.5].map((e) => Math.abs(f.at((index + e) / 16) - value))),
      ),
      12,
    )
    // independent ones add up by their squares, at one point at most
    expect(f.worstError(1e-3, 1e-3)).toBeLessThanOrEqual(Math.hypot(f.worstError(1e-3), f.worstError(0, 1e-3)) * 1.001)
    expect(f.worstError(1e-3, 1e-3)).toBeGreaterThan(f.worstError(1e-3))
  })

  it('that is the same wherever it occurs differs elsewhere', () => {
    const values = centred(16, () => 3).slice(3, -2)
    for (const cleaned of [undefined, [0, 3], [3, 5]] as const) {
      const f = gridFunction({ points: 16, values, ...(cleaned ? { cleaned } : {}) })
      for (const { index } of values) expect(f.at(index / 16)).toBeCloseTo(3, 5)
      expect(Math.abs(f.at(7 / 16) - 3)).toBeGreaterThan(0.5)
    }
  })

  it('cleans two values, whichever they are', () => {
    const f = gridFunction({ points: 8, values: centred(8, (k) => (k < 0 ? 7 : -2)), cleaned: true })
    for (const { index, value } of f.values) {
      expect(f.at(index / 8)).toBeCloseTo(value, 6)
      // errors of the argument come out squared
      expect(Math.abs(f.at((index + 0.02) / 8) - value)).toBeLessThan(9 * 3 * (0.02 * f.largestSlope) ** 2 * 1.5)
    }
  })

  it.each([
    [{ points: 1 }, /points must be an integer/],
    [{ points: 257 }, /points must be an integer/],
    [{ values: [] }, /at least one value/],
    [{ values: [{ index: 0.5, value: 1 }] }, /index must be an integer/],
    [{ values: [{ index: 0, value: Number.NaN }] }, /finite/],
    [{ values: [{ index: 0, value: 1, weight: 0 }] }, /weight at 0/],
    [{ noise: 0.2 }, /noise must lie between 0 and 0.1 steps, got 0.2/],
    [{ noise: Number.NaN }, /noise must lie/],
    [{ values: centred(8, () => 3) }, /all points occur: a constant/],
    [{ values: centred(8, (k) => (k > 0 ? 1 : 0)), cleaned: [0, 2] as const }, /two values can be cleaned/],
    [{ values: centred(8, () => 3).slice(2), cleaned: true }, /two different values, got 3 alone/],
    [{ values: centred(8, () => 3).slice(2), cleaned: [3, 3] as const }, /two different values/],
    [{ values: centred(10, (k) => k) }, /index 3 is the same point of 8/],
    [{ values: centred(8, (k) => k), cleaned: true }, /two values can be cleaned, got 8/],
  ] as const)('refuses %o', (change, message) => {
    const good = { points: 8, values: centred(8, (k) => (k > 0 ? 1 : 0)) }
    expect(() => gridFunction({ ...good, ...change })).toThrow(message)
    expect(() => gridFunction({ ...good, ...change })).toThrow(InvalidArgumentError)
  })

  it('says when a degree is too low', () => {
    expect(() => gridFunction({ points: 16, values: centred(16, (k) => k), degree: 7 })).toThrow(PlanError)
    expect(() => gridFunction({ points: 16, values: centred(16, (k) => k), degree: 7 })).toThrow(/leave out points/)
    // noise needs no exact values, but none may be taken for another
    const jagged = centred(16, (k) => (k % 2) * k)
    expect(() => gridFunction({ points: 16, values: jagged, degree: 5, noise: 0.05 })).toThrow(/degree 5 misses/)
  })
})
