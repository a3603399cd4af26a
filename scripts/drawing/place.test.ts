import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearestApart } from './place.mjs'

const wanting = (...places: readonly number[]) => places.map((wanted) => ({ wanted, weight: 1 }))

describe('nearestApart', () => {
  it('leaves what is far enough apart where it wants to be', () => {
    expect(nearestApart(wanting(0, 10, 25), [10, 10])).toEqual([0, 10, 25])
  })

  it('moves those that are too near apart, the heavier less', () => {
    expect(nearestApart(wanting(0, 0), [10])).toEqual([-5, 5])
    expect(
      nearestApart(
        [
          { wanted: 0, weight: 4 },
          { wanted: 0, weight: 1 },
        ],
        [10],
      ),
    ).toEqual([-2, 8])
  })

  it('keeps the order of those that want another', () => {
    expect(nearestApart(wanting(10, 0), [0])).toEqual([5, 5])
  })

  it('keeps all distances, and no single move of a place within them would be nearer', () => {
    const items = fc.array(
      fc.record({ wanted: fc.integer({ min: -100, max: 100 }), weight: fc.integer({ min: 1, max: 9 }) }),
      { minLength: 1, maxLength: 8 },
    )
    fc.assert(
      fc.property(items, (items) => {
        const places = nearestApart(items, Array(items.length - 1).fill(10))
        for (const [i, place] of places.entries()) {
          const [before, after] = [places[i - 1] ?? -Infinity, places[i + 1] ?? Infinity]
          expect(place - before).toBeGreaterThan(10 - 1e-9)
          const nearest = Math.min(Math.max(items[i]!.wanted, before + 10), after - 10)
          expect(Math.abs(nearest - items[i]!.wanted)).toBeGreaterThan(Math.abs(place - items[i]!.wanted) - 1e-9)
        }
      }),
    )
  })
})
