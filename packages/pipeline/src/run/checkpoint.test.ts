/** What is written, and what is left, at every moment of a run. */
import { createClearEngine } from '@he-ml/ckks-core'
import { Model, type NodeDescription } from '@he-ml/model'
import { add, conv2d, flatten, linear } from '@he-ml/nn-layers'
import { pack } from '@he-ml/packing'
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { compileAndBind } from '../compile/compile.ts'
import { StepExecutor } from '../execute/step-executor.ts'
import { compileInsecure, images, MemoryCheckpoints, randomTensor, residual } from '../pipeline.test-helper.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { fit } from '../ready/fit.ts'
import { type CheckpointIndex, INDEX_FILE, parseIndex } from './checkpoint-index.ts'
import { Runner } from './run.ts'

let bound: BoundPlan
beforeAll(async () => {
  const model = residual(2)
  const calibration = await fit(model, images(5))
  bound = await compileInsecure(model, 5, { calibration, activation: { degree: 7, margin: 1.3 } })
})

/** Looks at itself whenever the index is written. */
class Watched extends MemoryCheckpoints {
  readonly written: string[] = []
  readonly indices: { readonly index: CheckpointIndex; readonly files: readonly string[] }[] = []
  override async put(name: string, bytes: Uint8Array): Promise<void> {
    await super.put(name, bytes)
    if (name !== INDEX_FILE) this.written.push(name)
    else this.indices.push({ index: parseIndex(bytes), files: [...this.files.keys()].filter((f) => f !== name) })
  }
}

async function run(store: Watched, seed = 7, plan = bound, threads = 1) {
  const engine = Object.assign(createClearEngine(plan.parameters), { threads })
  const { layout, level } = plan.program.input
  const inputs = pack(images(1, seed), layout).map((v) => engine.encryptClear(v, { level }))
  const output = await new Runner(plan, engine).run(inputs, { checkpoints: store })
  return output.ciphertexts.map((c) => engine.readClear(c).re)
}

describe('checkpoints', () => {
  it('write every value once, hold at each moment what later tasks read, and delete the rest', async () => {
    const store = new Watched()
    await run(store)
    expect(new Set(store.written).size).toBe(store.written.length)
    const { tasks } = bound.program
    // the last task needs none: its result is handed over
    expect(store.indices).toHaveLength(tasks.length - 1)
    for (const { index, files } of store.indices) {
      const done = new Set(index.done)
      const written = index.done.flatMap((i) => tasks[i]!.writes)
      const alive = written.filter((id) => !isRead(id, done))
      expect(index.values.map(({ id }) => id).sort()).toEqual(alive.sort())
      const named = index.values.flatMap(({ files: own }) => own.map(({ name }) => name))
      for (const file of named) expect(files).toContain(file)
    }
    // at most one step's dead values are there when an index is written
    const most = Math.max(...store.indices.map(({ index, files }) => files.length - index.values.length))
    expect(most).toBeLessThanOrEqual(2)
    expect(store.files.size).toBe(0)
  })

  it('a run started again writes no value that is there already', async () => {
    const whole = new Watched()
    const want = await run(whole)
    const store = new Watched()
    store.failAt = Math.floor(whole.puts / 2)
    await expect(run(store)).rejects.toThrow(/disk is full/)
    store.failAt = Number.POSITIVE_INFINITY
    const before = new Set(store.indices.at(-1)!.index.values.flatMap(({ files }) => files.map(({ name }) => name)))
    const earlier = store.written.length
    const got = await run(store)
    for (const name of store.written.slice(earlier)) expect(before.has(name)).toBe(false)
    // the clear engine draws what modRaise adds from a stream, so it is not the same to the bit
    for (const [i, values] of got.entries())
      for (const [j, v] of values.entries()) expect(Math.abs(v - want[i]![j]!)).toBeLessThan(2 ** -12)
  })

  it('of two inputs in one store are never taken for each other, wherever a run dies', async () => {
    const want = await run(new Watched())
    const other = new Watched()
    await run(other, 8)
    const { puts } = other
    for (const first of [2, Math.floor(puts / 2)])
      for (let second = 0; second < 4; second++) {
        const store = new Watched()
        store.failAt = first
        await expect(run(store)).rejects.toThrow(/disk is full/)
        store.failAt = store.puts + second
        await expect(run(store, 8)).rejects.toThrow(/disk is full/)
        store.failAt = Number.POSITIVE_INFINITY
        const got = await run(store)
        for (const [i, values] of got.entries())
          for (const [j, v] of values.entries()) expect(Math.abs(v - want[i]![j]!)).toBeLessThan(2 ** -12)
      }
  })

  it('refuse a file that is valid and another than the one written', async () => {
    const whole = new Watched()
    whole.failAt = 3
    await expect(run(whole)).rejects.toThrow(/disk is full/)
    const other = new Watched()
    other.failAt = 3
    await expect(run(other, 8)).rejects.toThrow(/disk is full/)
    const [name] = whole.indices.at(-1)!.index.values.flatMap(({ files }) => files.map((file) => file.name))
    whole.files.set(name!, other.files.get(name!)!)
    whole.failAt = Number.POSITIVE_INFINITY
    await expect(run(whole)).rejects.toThrow(/is not the file that was written/)
  })
})

/** Eight convolutions of the image that do not need each other, and the sums of all. */
function fan(): Model {
  const branches = Array.from({ length: 8 }, (_, i): NodeDescription => {
    const weights = randomTensor([1, 1, 3, 3], i + 1, 0.3)
    return { layer: conv2d({ name: `branch${i}`, weights }), inputs: ['image'] }
  })
  const sums = branches.slice(1).map(
    (_, i): NodeDescription => ({
      layer: add({ name: `sum${i}` }),
      inputs: [i === 0 ? 'branch0' : `sum${i - 1}`, `branch${i + 1}`],
    }),
  )
  const end = [
    { layer: flatten({ name: 'flat' }), inputs: ['sum6'] },
    { layer: linear({ name: 'fc', weights: randomTensor([3, 36], 9, 0.3) }), inputs: ['flat'] },
  ]
  const nodes = [...branches, ...sums, ...end]
  return new Model({ name: 'fan', input: { name: 'image', shape: [1, 8, 8] }, nodes })
}

describe('a run that dies, again and again', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('repeats at most a task per thread each time, however many could run side by side', async () => {
    const plan = await compileAndBind(fan(), { scaleBits: 30 })
    const { tasks } = plan.program
    const whole = new Watched()
    const want = await run(whole, 7, plan)
    const deaths = fc.array(fc.integer({ min: 1, max: Math.floor(whole.puts / 3) }), { minLength: 3, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 2, 3, 8), deaths, async (threads, puts) => {
        const begun = vi.spyOn(StepExecutor.prototype, 'run')
        const store = new Watched()
        for (const more of puts) {
          store.failAt = store.puts + more
          await expect(run(store, 7, plan, threads)).rejects.toThrow(/disk is full/)
        }
        store.failAt = Number.POSITIVE_INFINITY
        expect(await run(store, 7, plan, threads)).toEqual(want)
        const repeated = begun.mock.calls.length - tasks.length
        begun.mockRestore()
        expect(repeated).toBeGreaterThanOrEqual(0)
        expect(repeated).toBeLessThanOrEqual(puts.length * threads)
      }),
      { numRuns: 40 },
    )
  })
})

/** Whether every reader of a value is done. */
function isRead(id: string, done: ReadonlySet<number>): boolean {
  const { tasks, output } = bound.program
  return id !== output.id && tasks.every(({ reads }, i) => done.has(i) || !reads.flat().includes(id))
}
