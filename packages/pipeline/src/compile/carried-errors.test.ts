import { type GridFunction, gridFunction } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import type { Program } from '../program/program.ts'
import { Hops, worstDeviation } from './carried-errors.ts'

const points = 64
const values = (beta: number) =>
  Array.from({ length: points - 4 }, (_, i) => i - 30).map((index) => ({
    index,
    value: (Math.floor(beta * (index - (index >= 6 ? 6 : 0)) + 0.5) / points) * 8,
  }))
/** Values are held in a period of 8. */
const carrying = (f: GridFunction) => [{ carried: [f], period: 8 }]
/** A fiftieth of a step. */
const estimate = { deviation: 2 ** -11.625, lengthened: 0 }

describe('errors that come back refresh after refresh', () => {
  const dying = carrying(gridFunction({ points, values: values(0.5), noise: 0.03 }))
  const growing = carrying(gridFunction({ points, values: values(0.5) }))

  it('die out where the worst point lets little through', () => {
    const [once, often] = [1, 50].map((hops) => worstDeviation(estimate, hops, dying)) as [number, number]
    expect(once).toBeGreaterThan(estimate.deviation)
    expect(often).toBeLessThan(1.2 * estimate.deviation)
  })
  it('grow where it lets more through than came in, the more the oftener they come by', () => {
    const all = [0, 1, 2, 3].map((hops) => worstDeviation(estimate, hops, growing))
    expect(all[0]).toBe(estimate.deviation)
    for (const i of [1, 2, 3]) expect(all[i]! / all[i - 1]!).toBeGreaterThan(1.5)
    // and no further than all is lost
    expect(worstDeviation(estimate, 1000, growing)).toBeLessThan(20)
  })
  it('have what a refresh adds to the length as well', () => {
    const longer = { ...estimate, lengthened: estimate.deviation / 2 }
    expect(worstDeviation(longer, 1, dying)).toBeGreaterThan(1.1 * worstDeviation(estimate, 1, dying))
  })

  it('have come by as often as values were refreshed one after another', () => {
    const [{ carried }] = growing as [(typeof growing)[0]]
    const refresh = (hops: number) => ({ circuit: { refresh: { carried, period: 8, hops } } })
    const tasks = [
      { ...refresh(0), reads: [['x']], writes: ['spike', 'first'] },
      { ...refresh(1), reads: [['y'], ['first']], writes: ['other', 'second'] },
      { circuit: {}, reads: [['other']], writes: ['linear'] },
      { ...refresh(1), reads: [['linear'], ['second']], writes: ['third'] },
      // of several steps that go in step, after two
      { ...refresh(3), reads: [['linear'], ['second']], writes: ['last'] },
    ] as unknown as Program['tasks']
    const hops = new Hops({ tasks })
    const growths = tasks.map((task) => {
      const growth = hops.growth(task, estimate)
      hops.write(task)
      return growth
    })
    const expected = [0, 1, 0, 2, 4].map((n) => worstDeviation(estimate, n, growing) / estimate.deviation)
    expect(growths).toEqual(expected)
  })
})
