import { describe, expect, it } from 'vitest'
import { RandomStream } from '../random/random-stream.ts'
import { normals } from '../testing.test-helper.ts'
import { compose, randomFlip, randomRotation, randomShift } from './augmentation.ts'

const shape = [2, 4, 5]
const sample = () => Float32Array.from(normals(2 * 40, 1))
const planeOf = (values: Float32Array, plane: number) => values.subarray(plane * 20, (plane + 1) * 20)

describe('augmentation', () => {
  it('shifts all planes alike, by whole pixels', () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 60; seed++) {
      const [before, after] = [sample(), sample()]
      randomShift(1, 9)(after, shape, new RandomStream(seed))
      const shifts = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dy, dx] as const))
      const matches = shifts.filter(([dy, dx]) =>
        [0, 1, 2, 3].every((plane) =>
          planeOf(after, plane).every((value, i) => {
            const [y, x] = [Math.floor(i / 5) + dy, (i % 5) + dx]
            return value === (y < 0 || y > 3 || x < 0 || x > 4 ? 9 : planeOf(before, plane)[y * 5 + x])
          }),
        ),
      )
      expect(matches.length).toBe(1)
      seen.add(`${matches[0]}`)
    }
    expect(seen.size).toBe(9)
  })
  it.each([0, 2, 3, 9])('shifts by up to %i pixels: every pixel comes from where it was, or is the fill', (pixels) => {
    for (let seed = 0; seed < 60; seed++) {
      const [before, after] = [sample(), sample()]
      randomShift(pixels, 9)(after, shape, new RandomStream(seed))
      const random = new RandomStream(seed)
      const [dy, dx] = [random.below(2 * pixels + 1) - pixels, random.below(2 * pixels + 1) - pixels]
      const want = before.map((_, i) => {
        const [y, x] = [(Math.floor(i / 5) % 4) + dy, (i % 5) + dx]
        return y < 0 || y > 3 || x < 0 || x > 4 ? 9 : before[Math.floor(i / 20) * 20 + y * 5 + x]!
      })
      expect(after).toEqual(want)
    }
  })
  it('flips every second time, and flipping twice is nothing', () => {
    let flipped = 0
    for (let seed = 0; seed < 100; seed++) {
      const after = sample()
      randomFlip()(after, shape, new RandomStream(seed))
      if (after[0] === sample()[0]) continue
      flipped++
      expect(Array.from(planeOf(after, 1).subarray(5, 10)).reverse()).toEqual([...planeOf(sample(), 1).subarray(5, 10)])
    }
    expect(flipped).toBeGreaterThan(30)
    expect(flipped).toBeLessThan(70)
  })
  it('rotates about the centre: a disc stays, a quarter turn moves a pixel', () => {
    const square = [1, 9, 9]
    const disc = Float64Array.from({ length: 81 }, (_, i) =>
      Math.exp(-((Math.floor(i / 9) - 4) ** 2 + ((i % 9) - 4) ** 2) / 8),
    )
    for (let seed = 0; seed < 20; seed++) {
      const turned = disc.slice()
      randomRotation(30)(turned, square, new RandomStream(seed))
      for (let i = 0; i < 81; i++)
        if ((Math.floor(i / 9) - 4) ** 2 + ((i % 9) - 4) ** 2 <= 9)
          expect(Math.abs(turned[i]! - disc[i]!)).toBeLessThan(0.05)
    }
    const nothing = disc.slice()
    randomRotation(0)(nothing, square, new RandomStream(1))
    expect(nothing).toEqual(disc)
  })
  it('composes from one stream', () => {
    const [both, apart] = [sample(), sample()]
    compose(randomFlip(), randomShift(2))(both, shape, new RandomStream(5))
    const random = new RandomStream(5)
    randomFlip()(apart, shape, random)
    randomShift(2)(apart, shape, random)
    expect(both).toEqual(apart)
  })
})
