import { InvalidArgumentError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalAt, uniformAt } from './counter-random.ts'
import { type CodedInput, directCoding, eventFrames, latencyCoding, rateCoding } from './input-coding.ts'

const steps = (coded: CodedInput) => Array.from({ length: coded.timeSteps }, (_, t) => [...coded.at(t)])

describe('codings', () => {
  it('direct: the values, every step, in one array', () => {
    const values = Float32Array.of(0.25, -1)
    const coded = directCoding(values, 3)
    expect(coded.isStatic).toBe(true)
    for (let t = 0; t < 3; t++) expect(coded.at(t)).toBe(values)
  })

  it('rate: frequencies are the values, the same seed gives the same spikes', () => {
    const values = Float64Array.from({ length: 200 }, (_, i) => i / 199)
    const timeSteps = 1000
    const coded = rateCoding(values, { timeSteps, seed: 5 })
    const counts = new Float64Array(200)
    for (let t = 0; t < timeSteps; t++) for (const [i, s] of coded.at(t).entries()) counts[i]! += s
    // five standard deviations
    for (const [i, p] of values.entries())
      expect(Math.abs(counts[i]! - timeSteps * p)).toBeLessThanOrEqual(5 * Math.sqrt(timeSteps * p * (1 - p)))
    const short = { timeSteps: 20, seed: 6 }
    expect(steps(rateCoding(values, short))).toEqual(steps(rateCoding(values, short)))
    expect(steps(rateCoding(values, short))).not.toEqual(steps(rateCoding(values, { ...short, seed: 7 })))
  })

  it('latency: one spike per value, larger ones no later', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 20 }),
        fc.integer({ min: 1, max: 12 }),
        (values, timeSteps) => {
          const spikes = steps(latencyCoding(Float64Array.from(values), timeSteps))
          const times = values.map((_, i) => spikes.flatMap((frame, t) => (frame[i] === 1 ? [t] : [])))
          for (const [i, value] of values.entries()) {
            expect(times[i]!.length).toBe(value > 0 ? 1 : 0)
            for (const [j, other] of values.entries())
              if (other > value && value > 0) expect(times[j]![0]!).toBeLessThanOrEqual(times[i]![0]!)
          }
        },
      ),
    )
    expect(steps(latencyCoding(Float32Array.of(1, 0.5, 0), 3))).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
    ])
  })

  it('event frames: one after the other', () => {
    const coded = eventFrames(Float32Array.of(1, 2, 3, 4, 5, 6), 3)
    expect(coded.isStatic).toBe(false)
    expect(steps(coded)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
  })

  it('refuse what they cannot code', () => {
    const bad = Float32Array.of(0.5, 1.5)
    expect(() => rateCoding(bad, { timeSteps: 2, seed: 0 })).toThrow(/\[0, 1\], got 1.5 at 1/)
    expect(() => latencyCoding(Float64Array.of(Number.NaN), 2)).toThrow(InvalidArgumentError)
    expect(() => eventFrames(bad, 3)).toThrow(/do not divide/)
    expect(() => directCoding(bad, 0)).toThrow(/time steps/)
  })
})

describe('counter random numbers', () => {
  const n = 100_000
  it('uniform: mean, variance, neighbours and seeds uncorrelated', () => {
    let [sum, squares, next, seeds] = [0, 0, 0, 0]
    for (let i = 0; i < n; i++) {
      const x = uniformAt(3, i) - 0.5
      sum += x
      squares += x * x
      next += x * (uniformAt(3, i + 1) - 0.5)
      seeds += x * (uniformAt(4, i) - 0.5)
    }
    // five standard deviations: of the mean 1/sqrt(12 n), of the products 1/(12 sqrt(n))
    expect(Math.abs(sum / n)).toBeLessThan(5 / Math.sqrt(12 * n))
    expect(squares / n).toBeCloseTo(1 / 12, 3)
    expect(Math.abs(next / n)).toBeLessThan(5 / (12 * Math.sqrt(n)))
    expect(Math.abs(seeds / n)).toBeLessThan(5 / (12 * Math.sqrt(n)))
  })
  it('counters beyond 32 bits differ from small ones', () => {
    expect(uniformAt(1, 2 ** 32)).not.toBe(uniformAt(1, 0))
  })
  it('normal: first four moments', () => {
    const m = [0, 0, 0, 0]
    for (let i = 0; i < n; i++) for (let k = 0; k < 4; k++) m[k]! += normalAt(9, i) ** (k + 1) / n
    for (const [k, want] of [0, 1, 0, 3].entries()) expect(Math.abs(m[k]! - want)).toBeLessThan(0.06)
  })
})
