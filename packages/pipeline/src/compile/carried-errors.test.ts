import { type GridFunction, gridFunction } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import type { Program } from '../program/program.ts'
import { Hops, marginOfWorst } from './carried-errors.ts'

const points = 64
const values = Array.from({ length: points - 4 }, (_, i) => i - 30).map((index) => ({
  index,
  value: (Math.floor(0.5 * (index - (index >= 6 ? 6 : 0)) + 0.5) / points) * 8,
}))
/** Values are held in a period of 8. */
const carrying = (f: GridFunction) => [{ carried: [f], period: 8 }]
/** About a fiftieth of a step, half a step away from a wrong decision. */
const deviation = 2 ** -11.625
const estimate = { deviation, lengthened: 0, margin: 0.5 / points / deviation }

describe('the margin of a neuron that comes by the worst point every time', () => {
  const noisy = carrying(gridFunction({ points, values, noise: 0.03 }))
  const through = carrying(gridFunction({ points, values }))

  it('is the average one where nothing came back', () => {
    expect(marginOfWorst(estimate, 0, noisy)).toBeCloseTo(estimate.margin, 9)
  })
  it('is less the oftener errors came back, until no more is to be gained by it', () => {
    const margins = [0, 1, 2, 3, 6, 12, 24].map((hops) => marginOfWorst(estimate, hops, noisy))
    for (const [i, margin] of margins.slice(1).entries()) expect(margin).toBeLessThanOrEqual(margins[i]!)
    expect(margins[1]).toBeLessThan(0.7 * margins[0]!)
    expect(margins[5]).toBeLessThan(0.5 * margins[1]!)
    expect(margins[6]).toBeCloseTo(margins[5]!, 1)
  })
  it('is far less with functions through their values, and with what a refresh adds to the length', () => {
    for (const hops of [1, 2, 3])
      expect(marginOfWorst(estimate, hops, through)).toBeLessThan(0.6 * marginOfWorst(estimate, hops, noisy))
    expect(marginOfWorst({ ...estimate, lengthened: deviation / 2 }, 2, noisy)).toBeLessThan(
      0.9 * marginOfWorst(estimate, 2, noisy),
    )
  })
  it('is that of the worst of several functions, in whatever unit', () => {
    const held = carrying(
      gridFunction({ points, values: values.map((v) => ({ ...v, value: v.value / 2 })), noise: 0.03 }),
    )
    const same = held.map((one) => ({ ...one, period: 4 }))
    expect(marginOfWorst(estimate, 2, same)).toBeCloseTo(marginOfWorst(estimate, 2, noisy), 3)
    for (const both of [
      [...noisy, ...through],
      [...through, ...noisy],
    ])
      expect(marginOfWorst(estimate, 2, both)).toBe(marginOfWorst(estimate, 2, through))
  })

  it('holds what happens: neurons at the worst point, simulated', () => {
    // the map of the worst point and new errors, from a fixed seed: none of 20,000 decides wrongly in three steps
    let state = 1
    const uniform = () => {
      state = (state * 48271) % 2147483647
      return state / 2147483647
    }
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
    const [f] = noisy[0]!.carried as [GridFunction]
    const size = 0.5 / points / 20
    const margin = marginOfWorst({ deviation: size, lengthened: 0, margin: 20 }, 3, noisy)
    expect(margin).toBeGreaterThan(5)
    expect(margin).toBeLessThan(10)
    let [furthest, wrong] = [0, 0]
    for (let n = 0; n < 20000; n++) {
      let error = size * normal()
      for (let hop = 0; hop < 3; hop++)
        error = (f.at(5 / points + error) - f.wantedAt(5 / points)) / 8 + size * normal()
      furthest = Math.max(furthest, Math.abs(error) * points)
      if (Math.abs(error) * points >= 0.5) wrong++
    }
    expect(wrong).toBe(0)
    expect(furthest).toBeGreaterThan((4 * 0.5) / 20)
  })
})

describe('what came back how often', () => {
  const carried = [gridFunction({ points, values, noise: 0.03 })]
  const functions = [{ carried, period: 8 }]
  const refresh = (cells: readonly { inputs: number; outputs: number }[], hops = 0) => ({
    circuit: { refresh: { carried, period: 8, hops, cells } },
  })
  const marginsOf = (tasks: Program['tasks']) => {
    const all = new Hops({ tasks })
    return tasks.map((task) => {
      const { margin } = all.ofWorst(task, estimate)
      all.write(task)
      return margin
    })
  }
  const after = (hops: number) => marginOfWorst(estimate, hops, functions)

  it('is counted from refresh to refresh, for each cell of a refresh by itself', () => {
    const tasks = [
      { ...refresh([{ inputs: 1, outputs: 2 }]), reads: [['x']], writes: ['spike', 'first'] },
      // a new layer beside the second step of the first
      {
        ...refresh([
          { inputs: 1, outputs: 2 },
          { inputs: 2, outputs: 2 },
        ]),
        ...{ reads: [['a'], ['y'], ['first']], writes: ['b', 'new', 'c', 'second'] },
      },
      { circuit: {}, reads: [['c']], writes: ['linear'] },
      { ...refresh([{ inputs: 2, outputs: 1 }]), reads: [['linear'], ['new']], writes: ['d'] },
      { ...refresh([{ inputs: 2, outputs: 1 }]), reads: [['linear'], ['second']], writes: ['e'] },
      // of several steps that go in step, after two
      { ...refresh([], 3), reads: [['linear'], ['e']], writes: ['last'] },
    ] as unknown as Program['tasks']
    expect(marginsOf(tasks)).toEqual([estimate.margin, after(1), estimate.margin, after(1), after(2), after(5)])
  })
  it('is one thing on one grid and another on a finer one, however near the errors', () => {
    const task = { ...refresh([{ inputs: 2, outputs: 1 }]), reads: [['x'], ['y']], writes: ['z'] }
    const all = new Hops({ tasks: [task] as unknown as Program['tasks'] })
    const finer = { ...estimate, margin: estimate.margin / 2 }
    expect(all.ofWorst(task as never, estimate).margin).toBe(marginOfWorst(estimate, 1, functions))
    expect(all.ofWorst(task as never, finer).margin).toBe(marginOfWorst(finer, 1, functions))
  })
  it('leaves decisions without a grid alone', () => {
    const task = { ...refresh([{ inputs: 2, outputs: 1 }]), reads: [['x'], ['y']], writes: ['z'] }
    const all = new Hops({ tasks: [task] as unknown as Program['tasks'] })
    const free = { deviation, lengthened: 0 }
    expect(all.ofWorst(task as never, free)).toBe(free)
  })
})
