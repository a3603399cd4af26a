/** The order of work, with circuits that are done when the test says so. */
import type { Ciphertext } from '@he-ml/ckks-core'
import { createBatchLayout, type LoweredLayer, PackedTensor } from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import type { Program } from '../program/program.ts'
import type { LayerTask, Task } from '../program/task.ts'
import type { Value } from '../program/value.ts'
import { runTasks } from './run-tasks.ts'
import { ValueTable } from './value-table.ts'

const layout = createBatchLayout([1], { slots: 8 })
const value = (id: string): Value => ({ id, tensor: id, layout, part: { first: 0, count: 1 }, level: 1 })
const circuit = { name: 'c', outputs: [layout], depth: 0 } as unknown as LoweredLayer

/** x -> a, x -> b, a and b -> c, c -> d. */
function stage({ room = 9, tasks: width = 8, atOnce = 8 } = {}) {
  const edges: readonly (readonly [string, readonly string[]])[] = [
    ['a', ['x']],
    ['b', ['x']],
    ['c', ['a', 'b']],
    ['d', ['c']],
  ]
  const tasks = edges.map(([id, reads]): LayerTask => {
    const common = { id, kind: 'layer', layer: id, circuit, level: 1, weights: [], keys: [] }
    return { ...common, reads: reads.map((r) => [r]), writes: [id] }
  })
  const values = new Map(['x', 'a', 'b', 'c', 'd'].map((id) => [id, value(id)]))
  const program: Program = {
    tasks,
    values,
    weights: new Map(),
    circuits: [],
    functionals: [],
    input: { values: [values.get('x')!], layout, whole: layout, level: 1 },
    output: values.get('d')!,
  }
  const log: string[] = []
  const finish = new Map<string, { readonly done: () => void; readonly fail: (error: Error) => void }>()
  const ciphertext = (id: string): Ciphertext => {
    const ready = new Promise<void>((done, fail) => finish.set(id, { done, fail }))
    ready.catch(() => undefined)
    return { ready: () => ready, dispose: () => log.push(`-${id}`) } as unknown as Ciphertext
  }
  let held = 0
  const memory = {
    fits: () => held < room,
    hold: async () => {
      held++
      return { release: () => void held-- }
    },
    announce: (next: readonly Task[]) => void log.push(`keys of ${next.map(({ id }) => id)}`),
    prefetch: async ({ id }: Task) => void log.push(`next ${id}`),
    wrote: async () => ({ release: () => undefined }),
    died: async () => {},
  }
  const table = new ValueTable(program, [ciphertext('x')])
  const run = runTasks({
    program,
    executor: { run: async ({ id }) => [new PackedTensor(layout, [ciphertext(id)])] },
    values: table,
    memory,
    done: new Set(),
    lookAhead: width,
    atOnce,
    onStart: (index) => void log.push(tasks[index]!.id),
    onDone: async (index) => void log.push(`${tasks[index]!.id}.`),
  })
  const started = () => log.filter((entry) => /^[a-d]\.?$/.test(entry))
  return { run, finish, log, started, table }
}

/** Lets everything happen that can happen now. */
const settle = () => new Promise((resolve) => setTimeout(resolve))

describe('tasks', () => {
  it('that do not need each other start without waiting, and what reads both waits for both', async () => {
    const { run, finish, started, log } = stage()
    await settle()
    expect(started()).toEqual(['a', 'b'])
    finish.get('b')!.done()
    await settle()
    expect(started()).toEqual(['a', 'b', 'b.'])
    finish.get('a')!.done()
    await settle()
    expect(started()).toEqual(['a', 'b', 'b.', 'a.', 'c'])
    // read for the last time: they go as soon as the reader has them
    expect(log).toContain('-a')
    finish.get('c')!.done()
    await settle()
    finish.get('d')!.done()
    await run
    expect(started()).toEqual(['a', 'b', 'b.', 'a.', 'c', 'c.', 'd', 'd.'])
  })

  it.each([
    ['memory', { room: 1 }],
    ['the look-ahead', { tasks: 1 }],
    ['the caller', { atOnce: 1 }],
  ])('wait where %s allows one only', async (_, options) => {
    const { run, finish, started, log } = stage(options)
    await settle()
    expect(started()).toEqual(['a'])
    expect(log.find((entry) => entry.startsWith('next'))).toBe('next b')
    // of all that is to come, in order
    expect(log.find((entry) => entry.startsWith('keys'))).toBe('keys of b,c,d')
    for (const id of ['a', 'b', 'c', 'd']) {
      await settle()
      finish.get(id)!.done()
    }
    await run
    expect(started().at(-1)).toBe('d.')
  })

  it('that fail are reported when those beside them have come to an end', async () => {
    const { run, finish, started } = stage()
    await settle()
    let over = false
    const ended = run.catch((error: unknown) => {
      over = true
      return error
    })
    finish.get('a')!.fail(new Error('no memory'))
    await settle()
    expect(over).toBe(false)
    finish.get('b')!.done()
    expect(await ended).toMatchObject({ message: 'no memory' })
    expect(started()).toEqual(['a', 'b', 'b.'])
  })
})
