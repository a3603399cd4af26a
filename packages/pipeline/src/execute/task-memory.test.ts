import { CancelledError, InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it, vi } from 'vitest'
import { figures, keyStore, program, spill, turn } from './memory-stage.test-helper.ts'
import { TaskMemory } from './task-memory.ts'
import type { WeightsTable } from './weights-table.ts'

const create = () => new TaskMemory({ program, figures, keys: keyStore(), spill, weights: {} as WeightsTable })
/** Room for the tasks of as many runs' inputs, and no byte more. */
const ceilingFor = ({ least }: TaskMemory, runs: number) =>
  figures.fixed + (runs - 1) * figures.inputBytes + least.bytes
/** What has happened by the time that nothing goes on by itself. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('runs side by side', () => {
  it('count their inputs, each from its beginning to its end', async () => {
    const memory = create()
    const ceiling = ceilingFor(memory, 3)
    const { bytes } = memory.least
    const first = await memory.begin(ceiling)
    expect(memory.residency.budget).toBe(bytes + 2 * figures.inputBytes)
    const second = await memory.begin(ceiling)
    expect(memory.residency.budget).toBe(bytes + figures.inputBytes)
    memory.end(first)
    expect(memory.residency.budget).toBe(bytes + 2 * figures.inputBytes)
    memory.end(second)
    expect(memory.residency.budget).toBe(bytes + 2 * figures.inputBytes)
    expect(memory.runs).toBe(0)
  })

  it('begin when the others leave room for their tasks', async () => {
    const memory = create()
    const ceiling = ceilingFor(memory, 2)
    const runs = [await memory.begin(ceiling), await memory.begin(ceiling)]
    const begun: string[] = []
    const waiting = [1, 2].map(() => memory.begin(ceiling).then((run) => begun.push(run)))
    await settle()
    expect(begun).toEqual([])
    expect(memory.runs).toBe(2)
    memory.end(runs[0]!)
    await settle()
    expect(begun).toHaveLength(1)
    memory.end(runs[1]!)
    await Promise.all(waiting)
    expect(memory.runs).toBe(2)
    expect(new Set([...runs, ...begun]).size).toBe(4)
  })

  it('that ask at the same time do not take the same room', async () => {
    const memory = create()
    const ceiling = ceilingFor(memory, 2)
    const begun: string[] = []
    const all = [1, 2, 3, 4].map(() => memory.begin(ceiling).then((run) => begun.push(run)))
    for (let ended = 0; ended < 4; ended++) {
      await settle()
      expect(memory.runs).toBe(Math.min(2, 4 - ended))
      memory.end(begun[ended]!)
    }
    await Promise.all(all)
    expect(memory.runs).toBe(0)
  })

  it('are refused under another ceiling, until all have ended', async () => {
    const memory = create()
    const ceiling = ceilingFor(memory, 1)
    const first = await memory.begin(ceiling)
    for (const other of [ceiling + 1, Number.POSITIVE_INFINITY]) {
      await expect(memory.begin(other)).rejects.toThrow(InvalidArgumentError)
      await expect(memory.begin(other)).rejects.toThrow(`under a ceiling of ${ceiling} bytes`)
    }
    expect(memory.residency.budget).toBe(memory.least.bytes)
    // one that waits for its turn counts too
    const second = memory.begin(ceiling)
    memory.end(first)
    await expect(memory.begin(ceiling + 1)).rejects.toThrow(InvalidArgumentError)
    memory.end(await second)
    memory.end(await memory.begin(ceiling + 1))
  })

  it('can be cancelled while they wait, or before', async () => {
    const memory = create()
    const ceiling = ceilingFor(memory, 1)
    await expect(memory.begin(ceiling, AbortSignal.abort())).rejects.toThrow(CancelledError)
    const first = await memory.begin(ceiling)
    const controller = new AbortController()
    const waiting = memory.begin(ceiling, controller.signal)
    await settle()
    controller.abort()
    await expect(waiting).rejects.toThrow(CancelledError)
    const third = memory.begin(ceiling)
    memory.end(first)
    memory.end(await third)
    expect(memory.runs).toBe(0)
  })

  it('of which none has a ceiling do not wait', async () => {
    const memory = create()
    const runs = await Promise.all([1, 2, 3].map(() => memory.begin(Number.POSITIVE_INFINITY)))
    expect(memory.residency.budget).toBe(Number.POSITIVE_INFINITY)
    for (const run of runs) memory.end(run)
  })
})

describe('keys', () => {
  it('that a task is about to lease stay while room is made for the others of it', async () => {
    const keys = keyStore()
    const load = vi.spyOn(keys as unknown as { load(): Promise<void> }, 'load')
    const memory = new TaskMemory({ program, figures, keys, spill, weights: {} as WeightsTable })
    const run = await memory.begin(ceilingFor(memory, 1))
    // the one that the task needs has waited longest
    for (const steps of [1, 3]) (await keys.acquire([turn(steps)])).dispose()
    const needs = [turn(1), turn(2)]
    memory.bookings.book(needs)
    const lease = memory.lease(needs)
    await settle()
    expect(keys.residentBytes).toBe(20_000)
    expect(keys.isResident(turn(3))).toBe(false)
    // none of them twice
    expect(load).toHaveBeenCalledTimes(3)
    ;(await lease)?.dispose()
    memory.end(run)
  })
})
