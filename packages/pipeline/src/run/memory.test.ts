/** Keys by need, ciphertexts spilled, two runs on one engine: under a budget, and with the same results to the bit. */
import {
  BaseKeyStore,
  CancelledError,
  type Ciphertext,
  type CiphertextStore,
  createClearEngine,
  InvalidArgumentError,
  type KeyRequest,
  keyBytes,
  listKeyNeeds,
  MemoryError,
  MissingKeyError,
  type SpilledCiphertexts,
  type StoredKey,
} from '@he-ml/ckks-core'
import { type PackedTensor, pack } from '@he-ml/packing'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { compileAndBind } from '../compile/compile.ts'
import type { MemoryFigures } from '../execute/memory-figures.ts'
import { StepExecutor } from '../execute/step-executor.ts'
import { compileInsecure, images, MemoryCheckpoints, residual, smallCnn } from '../pipeline.test-helper.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { inputIds, lastReads } from '../program/program.ts'
import { fit } from '../ready/fit.ts'
import { memoryFigures } from './memory-figures.ts'
import { Runner } from './run.ts'

/** Every layer has keys of its own. */
let bound: BoundPlan
/** Values live while others are computed. */
let bootstrapped: BoundPlan
beforeAll(async () => {
  const model = residual(2)
  const calibration = await fit(model, images(10))
  bootstrapped = await compileInsecure(model, 5, { calibration, activation: { degree: 7, margin: 1.3 } })
  bound = await compileAndBind(smallCnn('square'), { scaleBits: 28 })
})
const needsOf = () => listKeyNeeds(bound.plan.keyRequest as KeyRequest)
/** Of a small network keys are small beside ciphertexts; here they are large, as those of large ones are. */
const bytesOf = (need: StoredKey['need']) => 16 * keyBytes(bootstrapped.parameters, need)
const allKeys = () => needsOf().reduce((sum, need) => sum + bytesOf(need), 0)

/** The keys of the plan, loaded when asked for; notes what was loaded while somebody waited for it, and the most at once. */
class Keys extends BaseKeyStore {
  readonly keyId = undefined
  loads = 0
  most = 0
  protected async load(): Promise<void> {
    this.loads++
    await new Promise((resolve) => setImmediate(resolve))
    this.most = Math.max(this.most, this.residentBytes)
  }
  protected unload(): void {}
}
const keyStore = (needs = needsOf()) => new Keys(needs.map((need) => ({ need, bytes: bytesOf(need) })))

/** Ciphertexts of a clear engine, put away as files. */
class Spill implements CiphertextStore {
  bytes = 0
  spills = 0
  readonly #files = new Map<SpilledCiphertexts, Uint8Array[]>()
  readonly #engine: ReturnType<typeof createClearEngine>
  constructor(engine: ReturnType<typeof createClearEngine>) {
    this.#engine = engine
  }
  get kept(): number {
    return this.#files.size
  }
  async spill(ciphertexts: readonly Ciphertext[]): Promise<SpilledCiphertexts> {
    this.spills++
    const files = await Promise.all(ciphertexts.map((c) => this.#engine.exportCiphertext(c)))
    const spilled = { count: files.length, bytes: files.reduce((sum, { length }) => sum + length, 0) }
    this.#files.set(spilled, files)
    return spilled
  }
  async restore(spilled: SpilledCiphertexts): Promise<Ciphertext[]> {
    return Promise.all(this.#files.get(spilled)!.map((file) => this.#engine.importCiphertext(file)))
  }
  async drop(spilled: SpilledCiphertexts): Promise<void> {
    this.#files.delete(spilled)
  }
  async dispose(): Promise<void> {
    this.#files.clear()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

type Clear = ReturnType<typeof createClearEngine>
const inputsOn = (engine: Clear, seed = 7, { program }: BoundPlan = bound): Ciphertext[] =>
  pack(images(1, seed), program.input.layout).map((v) => engine.encryptClear(v, { level: program.input.level }))
const read = (engine: Clear, output: PackedTensor): Float64Array[] =>
  output.ciphertexts.map((c) => engine.readClear(c).re)

/** The least under which every task fits, with all values in memory that later tasks read. */
function leastMemory(figures: MemoryFigures, keys: Keys): number {
  const { tasks, values } = bound.program
  const last = lastReads(bound.program)
  const needs = tasks.map((task, i) => {
    const written = tasks.slice(0, i).flatMap(({ writes }) => writes)
    const alive = written.filter((id) => last.get(id)! >= i && values.has(id))
    return (
      figures.workBytes(task) +
      task.weights.reduce((sum, id) => sum + figures.weightBytes(id, true), 0) +
      keys.bytes(...task.keys) +
      alive.reduce((sum, id) => sum + figures.valueBytes(id), 0)
    )
  })
  return figures.fixed + Math.max(...needs)
}

/** What a run without any limit gives. */
async function alone(seed = 7, plan = bound): Promise<Float64Array[]> {
  const engine = createClearEngine(plan.parameters)
  return read(engine, await new Runner(plan, engine).run(inputsOn(engine, seed, plan)))
}

describe('keys by need', () => {
  it('a run whose keys exceed its budget completes, to the bit, and stays within it', async () => {
    const keys = keyStore()
    const engine = createClearEngine(bound.parameters, { keys })
    const runner = new Runner(bound, engine, { keys })
    const figures = memoryFigures(bound, { keysApart: true })
    // no task needs all keys, and beside what it works with only its own have room
    const memory = leastMemory(figures, keys)
    expect(memory - figures.fixed).toBeLessThan(allKeys())
    const output = await runner.run(inputsOn(engine), { memory })
    expect(read(engine, output)).toEqual(await alone())
    expect(keys.most).toBeGreaterThan(0)
    expect(keys.most).toBeLessThanOrEqual(memory - figures.fixed)
    // those of the first task made room for others
    using again = await runner.run(inputsOn(engine), { memory })
    expect(read(engine, again)).toEqual(await alone())
    expect(keys.loads).toBeGreaterThan(needsOf().length)
  })

  it('have room beside weights that were kept whole before: these are given up', async () => {
    const keys = keyStore()
    const engine = createClearEngine(bound.parameters, { keys })
    const runner = new Runner(bound, engine, { keys })
    await runner.prepare()
    for (const options of [{ memory: runner.leastMemory }, {}, { memory: runner.leastMemory }]) {
      using output = await runner.run(inputsOn(engine), options)
      expect(read(engine, output)).toEqual(await alone())
    }
  })
  it('are fetched while the tasks before are at work', async () => {
    const keys = keyStore(listKeyNeeds(bootstrapped.plan.keyRequest as KeyRequest))
    const announced = new Set<string>()
    let fetched = 0
    let asked = 0
    const name = (need: object) => JSON.stringify({ ...need, level: 0 })
    const prefetch = keys.prefetch.bind(keys)
    keys.prefetch = (needs, options) => {
      for (const need of needs) announced.add(name(need))
      return prefetch(needs, options)
    }
    const acquire = keys.acquire.bind(keys)
    keys.acquire = (needs, options) => {
      for (const need of needs) {
        asked++
        if (announced.has(name(need)) || keys.isResident(need)) fetched++
      }
      return acquire(needs, options)
    }
    const engine = createClearEngine(bootstrapped.parameters, { keys })
    await new Runner(bootstrapped, engine, { keys }).run(inputsOn(engine, 7, bootstrapped))
    // all but those of the first task that needs any
    const [first] = bootstrapped.program.tasks.filter((task) => task.keys.length > 0)
    expect(asked - fetched).toBeLessThanOrEqual(first!.keys.length)
    expect(fetched / asked).toBeGreaterThan(0.7)
  })

  it('that no store has are missed before anything runs; a budget below a single task is refused by name', async () => {
    const few = new Keys(
      needsOf()
        .slice(1)
        .map((need) => ({ need, bytes: bytesOf(need) })),
    )
    const engine = createClearEngine(bound.parameters, { keys: few })
    expect(() => new Runner(bound, engine, { keys: few })).toThrow(MissingKeyError)
    const keys = keyStore()
    const other = createClearEngine(bound.parameters, { keys })
    const runner = new Runner(bound, other, { keys })
    const { fixed } = memoryFigures(bound, { keysApart: true })
    await expect(runner.run(inputsOn(other), { memory: fixed + 1 })).rejects.toThrow(MemoryError)
    await expect(runner.run(inputsOn(other), { memory: fixed + 1 })).rejects.toThrow(/"conv" needs/)
    ;(await runner.run(inputsOn(other))).dispose()
  })
})

describe('ciphertexts that are not needed for a while', () => {
  it('go to the store and come back, to the bit, and nothing is left there', async () => {
    const engine = createClearEngine(bootstrapped.parameters)
    const spill = new Spill(engine)
    const figures = memoryFigures(bootstrapped, { keysApart: false })
    const runner = new Runner(bootstrapped, engine, { spill })
    // the least under which every task alone fits
    const brought = inputIds(bootstrapped.program)
    const needs = bootstrapped.program.tasks.map(
      (task) =>
        figures.workBytes(task) +
        task.weights.reduce((sum, id) => sum + figures.weightBytes(id, true), 0) +
        task.reads.flat().reduce((sum, id) => sum + (brought.has(id) ? 0 : figures.valueBytes(id)), 0),
    )
    const output = await runner.run(inputsOn(engine, 7, bootstrapped), { memory: figures.fixed + Math.max(...needs) })
    expect(read(engine, output)).toEqual(await alone(7, bootstrapped))
    expect(spill.spills).toBeGreaterThan(0)
    expect(spill.kept).toBe(0)
  })
})

describe('two runs on one engine', () => {
  // without bootstraps: the clear engine draws the multiples that modRaise leaves from one stream, whoever asks
  it('side by side give what each gives alone', async () => {
    const engine = createClearEngine(bound.parameters)
    const [a, b] = [new Runner(bound, engine), new Runner(bound, engine)]
    const outputs = await Promise.all([a.run(inputsOn(engine, 7)), b.run(inputsOn(engine, 8))])
    expect(read(engine, outputs[0])).toEqual(await alone(7))
    expect(read(engine, outputs[1])).toEqual(await alone(8))
  })
  it('of which one is cancelled: the other does not know', async () => {
    const engine = createClearEngine(bound.parameters)
    const controller = new AbortController()
    const stopped = new Runner(bound, engine).run(inputsOn(engine, 8), {
      signal: controller.signal,
      onProgress: ({ layerIndex }) => void (layerIndex === 1 && controller.abort()),
    })
    const other = new Runner(bound, engine).run(inputsOn(engine, 7))
    await expect(stopped).rejects.toThrow(CancelledError)
    expect(read(engine, await other)).toEqual(await alone(7))
  })
})

describe('two runs of one runner', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })
  /** How often the weights of layers are encoded from now on. */
  function countEncodings(): () => number {
    const layers = [...bound.program.weights.values()].flatMap((w) => (w.kind === 'layer' ? [w.circuit] : []))
    const spies = [...new Set(layers)].map((circuit) => vi.spyOn(circuit, 'prepare'))
    return () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0)
  }

  it('side by side encode the weights once, share the keys, and give what each gives alone', async () => {
    const wanted = [await alone(7), await alone(8)]
    const keys = keyStore()
    const engine = createClearEngine(bound.parameters, { keys })
    const runner = new Runner(bound, engine, { keys })
    const encodings = countEncodings()
    const outputs = await Promise.all([7, 8].map((seed) => runner.run(inputsOn(engine, seed), { keepWeights: true })))
    expect(outputs.map((output) => read(engine, output))).toEqual(wanted)
    expect(encodings()).toBe([...bound.program.weights.values()].filter(({ kind }) => kind === 'layer').length)
    expect(keys.loads).toBe(needsOf().length)
  })

  it('of which one is cancelled while the weights of both are encoded: the other does not know', async () => {
    const wanted = await alone(7)
    for (let at = 0; at < bound.program.tasks.length - 1; at++) {
      const engine = createClearEngine(bound.parameters)
      const runner = new Runner(bound, engine)
      const controller = new AbortController()
      const stopped = runner.run(inputsOn(engine, 8), {
        signal: controller.signal,
        onProgress: ({ layerIndex }) => void (layerIndex === at && controller.abort()),
      })
      const other = runner.run(inputsOn(engine, 7), { signal: new AbortController().signal })
      await expect(stopped).rejects.toThrow(CancelledError)
      expect(read(engine, await other)).toEqual(wanted)
      // and later ones neither
      expect(read(engine, await runner.run(inputsOn(engine, 7)))).toEqual(wanted)
    }
  })

  it('side by side count the inputs of both, and have one ceiling', async () => {
    const engine = createClearEngine(bound.parameters)
    const spill = new Spill(engine)
    const runner = new Runner(bound, engine, { spill })
    const inputs = () => inputsOn(engine)
    const memory = runner.leastMemory
    const begun: number[] = []
    const run = (which: number) =>
      runner.run(inputs(), { memory, onProgress: () => void (begun.at(-1) !== which && begun.push(which)) })
    const refused = (other: number) => expect(runner.run(inputs(), { memory: other })).rejects
    const runs = [run(0), run(1)]
    await refused(2 * memory).toThrow(InvalidArgumentError)
    for (const output of await Promise.all(runs)) expect(read(engine, output)).toEqual(await alone())
    // with no room for the inputs of two they took turns
    expect(begun).toEqual([0, 1])
    await refused(memory - 1).toThrow(MemoryError)
    ;(await runner.run(inputs(), { memory: 2 * memory })).dispose()
    expect(spill.kept).toBe(0)
  })

  it('under one ceiling, which holds for both together, give what each gives alone', async () => {
    const keys = keyStore()
    const engine = createClearEngine(bound.parameters, { keys })
    const figures = memoryFigures(bound, { keysApart: true })
    const memory = leastMemory(figures, keys)
    const wanted = [await alone(7), await alone(8)]
    const spill = new Spill(engine)
    for (const stores of [{ keys }, { keys, spill }]) {
      const runner = new Runner(bound, engine, stores)
      const outputs = await Promise.all([7, 8].map((seed) => runner.run(inputsOn(engine, seed), { memory })))
      expect(outputs.map((output) => read(engine, output))).toEqual(wanted)
      expect(keys.most).toBeLessThanOrEqual(memory - figures.fixed)
    }
    expect(spill.kept).toBe(0)
  })
})

describe('three runs in room for two', () => {
  it('give what each gives alone, again and again, wherever their ciphertexts are meanwhile', async () => {
    const engine = createClearEngine(bound.parameters)
    const spill = new Spill(engine)
    const runner = new Runner(bound, engine, { spill })
    const memory = runner.leastMemory + memoryFigures(bound, { keysApart: false }).inputBytes
    const seeds = [7, 8, 9]
    const wanted = await Promise.all(seeds.map((seed) => alone(seed)))
    for (let time = 0; time < 4; time++) {
      const outputs = await Promise.all(seeds.map((seed) => runner.run(inputsOn(engine, seed), { memory })))
      expect(outputs.map((output) => read(engine, output))).toEqual(wanted)
      for (const output of outputs) output.dispose()
    }
    expect(spill.kept).toBe(0)
  })
})

describe('a run that fails', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('because its values found no place leaves the runner as it was', async () => {
    const engine = createClearEngine(bootstrapped.parameters)
    const spill = new Spill(engine)
    const runner = new Runner(bootstrapped, engine, { spill })
    const memory = runner.leastMemory
    const work = spill.spill.bind(spill)
    spill.spill = () => Promise.reject(new Error('disk full'))
    await expect(runner.run(inputsOn(engine, 7, bootstrapped), { memory })).rejects.toThrow('disk full')
    spill.spill = work
    const output = await runner.run(inputsOn(engine, 7, bootstrapped), { memory })
    expect(output.ciphertexts).toHaveLength((await alone(7, bootstrapped)).length)
    expect(spill.kept).toBe(0)
  })

  it('because its caller’s progress throws fails with just that, has ended, and tells no more', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const engine = createClearEngine(bound.parameters)
    const runner = new Runner(bound, engine, { spill: new Spill(engine) })
    for (const at of [1, 2, 'clock'] as const) {
      let told = 0
      const onProgress = (): void => {
        told++
        if (at === 'clock' && told === 1) queueMicrotask(() => vi.advanceTimersByTime(100))
        if (told === (at === 'clock' ? 2 : at)) throw new Error('mine')
      }
      await expect(runner.run(inputsOn(engine), { onProgress }), `${at}`).rejects.toThrow('mine')
      expect(vi.getTimerCount()).toBe(0)
      expect(told).toBe(at === 'clock' ? 2 : at)
      // under another ceiling: nothing is at work
      ;(await runner.run(inputsOn(engine), { memory: runner.leastMemory })).dispose()
    }
  })

  it('because it was cancelled is not what the next fails with, however soon that begins', async () => {
    const wanted = await alone(7)
    for (let turns = 0; turns < 24; turns++) {
      const engine = createClearEngine(bound.parameters)
      const runner = new Runner(bound, engine)
      const controller = new AbortController()
      const stopped = runner.run(inputsOn(engine, 8), { signal: controller.signal })
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      controller.abort()
      const next = runner.run(inputsOn(engine, 7), { signal: new AbortController().signal })
      await expect(stopped).rejects.toThrow(CancelledError)
      expect(read(engine, await next)).toEqual(wanted)
    }
  })
})

describe('runs that wait', () => {
  it.each(['in line', 'for room'])(
    '%s ask for their inputs when their turn has come, and hear that they are cancelled',
    async (where) => {
      const engine = createClearEngine(bound.parameters)
      const keys = keyStore()
      const runner = new Runner(bound, engine, where === 'in line' ? { keys } : { keys, spill: new Spill(engine) })
      const memory = runner.leastMemory
      const asked: number[] = []
      const ended: number[] = []
      const run = async (which: number, signal?: AbortSignal): Promise<void> => {
        const inputs = async () => {
          asked.push(which)
          expect(ended).toEqual(asked.slice(0, -1))
          return inputsOn(engine)
        }
        ;(await runner.run(inputs, { memory, ...(signal ? { signal } : {}) })).dispose()
        ended.push(which)
      }
      const controller = new AbortController()
      const runs = [run(0), run(1, controller.signal), run(2)]
      controller.abort()
      await expect(runs[1]).rejects.toThrow(CancelledError)
      expect(ended).toEqual([])
      await Promise.all([runs[0], runs[2]])
      expect(asked).toEqual([0, 2])
      // what asking throws is the run's failure, and the next may begin
      const failing = runner.run(() => Promise.reject(new Error('no such file')), { memory })
      await expect(failing).rejects.toThrow('no such file')
      await expect(runner.run(async () => [], { memory })).rejects.toThrow(InvalidArgumentError)
      await run(3)
    },
  )
})

describe('checkpoints under a ceiling', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('have every value in them, also those that went to the store', async () => {
    const engine = createClearEngine(bootstrapped.parameters)
    const spill = new Spill(engine)
    const runner = new Runner(bootstrapped, engine, { spill })
    const memory = runner.leastMemory
    const store = new MemoryCheckpoints()
    const inputs = inputsOn(engine, 7, bootstrapped)
    ;(await runner.run(inputs, { memory, checkpoints: store })).dispose()
    const total = store.puts
    expect(spill.spills).toBeGreaterThan(0)
    for (let failAt = 3; failAt <= total; failAt += 5) {
      const broken = new MemoryCheckpoints()
      broken.failAt = failAt
      await expect(runner.run(inputs, { memory, checkpoints: broken })).rejects.toThrow(/disk is full/)
      broken.failAt = Number.POSITIVE_INFINITY
      ;(await runner.run(inputs, { memory, checkpoints: broken })).dispose()
    }
    expect(spill.kept).toBe(0)
  })

  it('are whole when memory runs out in the middle: what is there already is not computed again, to the same bits', async () => {
    const wanted = await alone()
    const { tasks } = bound.program
    const keys = keyStore()
    const engine = createClearEngine(bound.parameters, { keys })
    const runner = new Runner(bound, engine, { keys })
    const memory = runner.leastMemory
    const work = StepExecutor.prototype.run
    for (let failing = 0; failing < tasks.length; failing++) {
      const begun: string[] = []
      let short = true
      vi.spyOn(StepExecutor.prototype, 'run').mockImplementation(function (this: StepExecutor, task, ...rest) {
        begun.push(task.id)
        if (short && task === tasks[failing]) return Promise.reject(new MemoryError('no room is left'))
        return work.call(this, task, ...rest)
      })
      const checkpoints = new MemoryCheckpoints()
      await expect(runner.run(inputsOn(engine), { memory, checkpoints })).rejects.toThrow(MemoryError)
      short = false
      using output = await runner.run(inputsOn(engine), { memory, checkpoints })
      expect(read(engine, output)).toEqual(wanted)
      expect(begun).toEqual(tasks.flatMap(({ id }, i) => (i === failing ? [id, id] : [id])))
      vi.restoreAllMocks()
    }
  })
})
