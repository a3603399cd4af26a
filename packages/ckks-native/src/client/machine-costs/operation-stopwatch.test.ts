import { CancelledError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { OperationStopwatch } from './operation-stopwatch.ts'

/** An engine that notes when it is drained, and results that note when they are given back. */
function noted() {
  const events: string[] = []
  const engine = { drain: async () => void events.push('drain') }
  const run = () => {
    events.push('run')
    return { [Symbol.dispose]: () => void events.push('dispose') }
  }
  return { events, engine, run }
}

describe('OperationStopwatch', () => {
  it('gives results back only when all of a round are computed', async () => {
    const { events, engine, run } = noted()
    await new OperationStopwatch(engine, {}).time(3, run)
    const round = ['drain', 'run', 'run', 'run', 'drain', 'dispose', 'dispose', 'dispose']
    expect(events).toEqual([...round, ...round, ...round, ...round])
  })

  it('takes the median of the rounds after the first, for one of the operations', async () => {
    const { engine, run } = noted()
    // the beginning and the end of each round, in milliseconds
    const clock = [0, 90_000, 100_000, 107_000, 200_000, 204_000, 300_000, 330_000]
    const seconds = await new OperationStopwatch(engine, { now: () => clock.shift()! }).time(2, run)
    expect(seconds).toBe(3.5)
    expect(clock).toEqual([])
  })

  it('gives back every result of an operation that has several', async () => {
    const { events, engine, run } = noted()
    await new OperationStopwatch(engine, {}).time(1, () => [run(), run()])
    expect(events.filter((event) => event === 'dispose')).toHaveLength(8)
  })

  it('tells how far the measurement is, and does not start when it was cancelled', async () => {
    const { events, engine, run } = noted()
    const fractions: number[] = []
    const stop = new AbortController()
    const watch = new OperationStopwatch(engine, { signal: stop.signal, onProgress: (f) => fractions.push(f) })
    await watch.time(1, run)
    await watch.time(1, run)
    expect(fractions[0]).toBeGreaterThan(0.4)
    expect(fractions[1]).toBeGreaterThan(fractions[0]!)
    stop.abort()
    const before = events.length
    await expect(watch.time(1, run)).rejects.toThrow(CancelledError)
    expect(events).toHaveLength(before)
  })
})
