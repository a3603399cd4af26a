/**
 * Runs a bound plan on encrypted inputs. A run has a lane of its own on its engine, so that others on the same engine do not know
 * of it; weights are encoded on the engine itself, while the task before still computes, and kept or dropped after use.
 */

import {
  CancelledError,
  type Ciphertext,
  checkArgument,
  type Engine,
  type Lane,
  MemoryError,
  optionCheck,
  untilAborted,
} from '@he-ml/ckks-core'
import type { PackedTensor } from '@he-ml/packing'
import { RunMemory } from '../execute/run-memory.ts'
import { runTasks } from '../execute/run-tasks.ts'
import { StepExecutor } from '../execute/step-executor.ts'
import { TaskMemory } from '../execute/task-memory.ts'
import { ValueTable } from '../execute/value-table.ts'
import { WeightsTable } from '../execute/weights-table.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { planCheck } from '../plan/plan-check.ts'
import { assertInputs, assertRunnable } from './assert-runnable.ts'
import { CheckpointWriter, inputsDigest } from './checkpoint.ts'
import { loadCheckpoint, type Resumed } from './load-checkpoint.ts'
import { memoryFigures } from './memory-figures.ts'
import { ProgressClock } from './progress-clock.ts'
import { checkRunOptions, type RunInputs, type RunnerStores, type RunOptions } from './run-options.ts'
import { RunStop } from './run-stop.ts'
import { TaskTracer } from './task-trace.ts'

/** Tasks among which those that do not need each other's results run side by side. */
const LOOK_AHEAD = 8

/** A run that has begun. */
interface Begun {
  /** Its name in the memory of tasks. */
  readonly run: string
  readonly deferred: boolean
  readonly keepWeights: boolean
}

/**
 * A plan on an engine with its weights; use it for any number of inputs. Runs side by side share weights, keys and the ceiling of
 * memory, which is the same for all of them; with a ceiling and nowhere to put ciphertexts they go one after another, since no run
 * could make room for another.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createClearEngine } from '@he-ml/ckks-core'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { unpack } from '@he-ml/packing'
 * import { compileAndBind, packInputs, Runner } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const bound = await compileAndBind(model)
 * const engine = createClearEngine(bound.parameters) // or one with keys: createNativeEngine
 * const x = createTensor([2], Float64Array.of(3, 4))
 * const inputs = packInputs(bound.plan, x).map((slots) => engine.encryptClear(slots, bound.plan.input))
 * await using runner = new Runner(bound, engine)
 * const { ciphertexts, layout } = await runner.run(inputs, { onProgress: ({ fraction }) => console.log(fraction) })
 * const [answer] = unpack(ciphertexts.map((c) => engine.readClear(c).re), layout)
 * assert(Math.abs(answer!.data[0]! - (3 - 4)) < 1e-4)
 * ```
 */
export class Runner implements AsyncDisposable {
  /** What it runs. */
  readonly plan: BoundPlan
  /** What it runs on. */
  readonly engine: Engine
  readonly #stores: RunnerStores
  readonly #weights: WeightsTable
  readonly #memory: TaskMemory
  /** Ends of runs under a ceiling that wait for each other. */
  #line: Promise<unknown> = Promise.resolve()

  /**
   * @throws ParameterMismatchError when the engine has other parameters than the plan
   * @throws MissingKeyError when neither the engine nor the key store has a key the plan needs; the message lists them
   */
  constructor(plan: BoundPlan, engine: Engine, stores: RunnerStores = {}) {
    checkArgument('Runner', 'plan', plan, planCheck.bound)
    checkArgument('Runner', 'engine', engine, optionCheck.object)
    assertRunnable(plan, engine, stores.keys)
    const { program } = plan
    this.plan = plan
    this.engine = engine
    this.#stores = stores
    this.#weights = new WeightsTable(program, engine)
    const figures = memoryFigures(plan, { keysApart: stores.keys !== undefined, threads: engine.threads })
    this.#memory = new TaskMemory({ program, weights: this.#weights, figures, ...stores })
  }

  /**
   * The least ceiling under which a run comes to its end, in bytes: one task at a time, and nothing in memory that the stores could
   * give back. Without stores plans are judged by their own peak instead.
   */
  get leastMemory(): number {
    return this.#memory.options.figures.fixed + this.#memory.least.bytes
  }

  /** Encodes all weights now instead of during the first run. */
  async prepare(options: Pick<RunOptions, 'signal' | 'onProgress'> = {}): Promise<void> {
    const { tasks } = this.plan.program
    const started = performance.now()
    for (const [layerIndex, task] of tasks.entries()) {
      const held = await this.#memory.residency.hold(
        this.#memory.weightsOf(task, !this.plan.plan.keepWeights),
        0,
        options.signal,
      )
      held.release()
      options.onProgress?.({
        fraction: (layerIndex + 1) / tasks.length,
        layer: task.id,
        layerIndex,
        layerCount: tasks.length,
        resumed: 0,
        elapsedSeconds: (performance.now() - started) / 1000,
      })
    }
    await this.engine.drain()
    for (const id of this.#weights.ids) this.#weights.confirm(id)
  }

  /**
   * The encrypted result. Inputs are not disposed of.
   *
   * @param inputs all ciphertexts of one input, of frames those of the first, then those of the second, and so on; or how to have
   *   them, which is called when this run's turn has come: until then they take no memory. What that throws is the run's failure
   * @throws CancelledError, MemoryError, LevelError, InvalidArgumentError for inputs that do not fit the plan, for options that there are not, and for
   *   another ceiling than that of runs at work; whatever `onProgress` throws
   */
  async run(inputs: RunInputs, options: RunOptions = {}): Promise<PackedTensor> {
    checkRunOptions(options)
    if (typeof inputs !== 'function') assertInputs(this.plan.program.input, inputs)
    const keepWeights = this.#chooseKeeping(options)
    const { signal } = options
    if (signal?.aborted) throw new CancelledError('run: cancelled before it began', { cause: signal.reason })
    if (options.memory === undefined || this.#stores.spill) return this.#runOnLane(inputs, options, keepWeights)
    const before = this.#line
    const run = untilAborted(before, signal, 'run').then(() => this.#runOnLane(inputs, options, keepWeights))
    // who was cancelled while it waited leaves its place to those behind it, no sooner than it would have come
    this.#line = Promise.allSettled([before, run])
    return run
  }

  /** Gives the encoded weights back. */
  async dispose(): Promise<void> {
    await this.#memory.residency.clear()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  async #runOnLane(inputs: RunInputs, options: RunOptions, keepWeights: boolean): Promise<PackedTensor> {
    const { signal } = options
    if (signal?.aborted) throw new CancelledError('run: cancelled before it began', { cause: signal.reason })
    const lane = this.engine.openLane()
    const stop = new RunStop(lane, options)
    try {
      return await this.#run(lane, inputs, { ...options, ...stop.options }, keepWeights)
    } catch (error) {
      // weights still in a queue may have been cancelled, or failed, and would fail every later run
      await this.#dropUnconfirmed()
      throw stop.reasonOf(error)
    } finally {
      stop.dispose()
      await lane.dispose()
    }
  }

  /** Whatever was begun has ended when this settles. */
  async #run(lane: Lane, given: RunInputs, options: RunOptions, keepWeights: boolean): Promise<PackedTensor> {
    const { signal, memory = Number.POSITIVE_INFINITY } = options
    const deferred = this.#defers(memory, keepWeights)
    const { least, leastWhole } = this.#memory
    const run = await this.#memory.begin(memory, signal, (deferred ? least : leastWhole).bytes)
    try {
      await this.#memory.changeForm(deferred)
      await this.#memory.residency.makeRoom(0) // for the inputs
      const inputs = typeof given === 'function' ? await given() : given
      assertInputs(this.plan.program.input, inputs)
      return await this.#compute({ run, deferred, keepWeights }, lane, inputs, options)
    } finally {
      this.#memory.end(run)
    }
  }

  async #compute(
    { run, deferred, keepWeights }: Begun,
    lane: Lane,
    inputs: readonly Ciphertext[],
    options: RunOptions,
  ): Promise<PackedTensor> {
    const { program, plan } = this.plan
    const { signal, onProgress, onTask, checkpoints } = options
    const seconds = plan.report.layers.map(({ name, seconds }) => ({ id: name, seconds: Math.max(1e-4, seconds) }))
    const clock = onProgress && new ProgressClock(seconds, onProgress)
    const tracer = onTask && new TaskTracer(plan.report.layers, () => this.engine.memory())
    let values: ValueTable | undefined
    let memory: RunMemory | undefined
    try {
      const inputsId = checkpoints ? await inputsDigest(lane, inputs) : ''
      const resumed = checkpoints && (await loadCheckpoint(checkpoints, this.plan, lane, inputsId))
      const done = new Set(resumed?.index.done)
      if (resumed) clock?.resume(resumed.index.done)
      values = this.#table(inputs, resumed)
      for (const index of done) this.#memory.finish(run, index)
      memory = new RunMemory(this.#memory, run, values, deferred)
      ;(await memory.wrote([...values.computed()].map(([id]) => id))).release()
      const writer = checkpoints && new CheckpointWriter(checkpoints, lane, this.plan, inputsId, resumed?.index)
      const finish = async (index: number): Promise<void> => {
        const task = program.tasks[index]!
        for (const id of task.weights) this.#weights.confirm(id)
        this.#memory.finish(run, index)
        if (!keepWeights) await this.#memory.dropUnused(task)
        await writer?.save(index, (id) => values!.get(id))
        clock?.finish(index)
        if (tracer) onTask?.(tracer.finish(index))
      }
      await runTasks({
        program,
        executor: new StepExecutor(program, lane, this.#weights),
        values,
        memory,
        done,
        lookAhead: LOOK_AHEAD,
        // what a kill undoes is at most a task per thread, and memory little more than the plan's, which knows one task at a time
        atOnce: lane.threads,
        ...(signal ? { signal } : {}),
        onStart: (index) => {
          tracer?.start(index)
          clock?.start(index)
        },
        onDone: finish,
      })
      clock?.stop()
      await memory.holdOutput(signal)
      await checkpoints?.clear() // when that fails, the result is disposed of below like the rest
      await memory.end()
      return values.takeOutput()
    } finally {
      clock?.stop()
      try {
        await memory?.end()
      } finally {
        values?.dispose()
      }
    }
  }

  #table(inputs: readonly Ciphertext[], resumed: Resumed | undefined): ValueTable {
    const { program } = this.plan
    const finished = new Set(resumed?.index.done.map((index) => program.tasks[index]))
    const values = new ValueTable(program, inputs, (task) => finished.has(task))
    for (const [id, ciphertexts] of resumed?.values ?? []) values.put(id, ciphertexts)
    return values
  }

  /** Weights that are dropped after use, or have no room, are not worth all their limbs. */
  #defers(memory: number, keepWeights: boolean): boolean {
    const { leastWhole, options } = this.#memory
    const { peakBytes } = this.plan.plan.report.memory
    return !keepWeights || memory < Math.max(peakBytes, options.figures.fixed + leastWhole.bytes)
  }

  /** @throws MemoryError before anything starts */
  #chooseKeeping({ memory, keepWeights }: RunOptions): boolean {
    const { report, keepWeights: planned } = this.plan.plan
    const { peakBytes, leanPeakBytes } = report.memory
    const keeping = keepWeights ?? (planned && (memory === undefined || peakBytes <= memory))
    const peak = keeping ? peakBytes : leanPeakBytes
    const { keys, spill } = this.#stores
    if (memory === undefined) return keeping
    const { least } = this.#memory
    if ((keys || spill) && memory < this.leastMemory)
      throw new MemoryError(
        `run: "${least.task.id}" needs ${gigabytes(this.leastMemory)} with everything out of memory that can be had again, the ceiling is ${gigabytes(memory)}: raise it, or compile with a smaller batch or ring`,
      )
    if (peak <= memory || keys || spill) return keeping
    throw new MemoryError(
      `run: the plan expects a peak of ${gigabytes(peak)}, the ceiling is ${gigabytes(memory)}: raise it, ${keeping ? 'drop weights after use, ' : ''}give the runner stores for keys and ciphertexts, or compile with a smaller batch or ring`,
    )
  }

  async #dropUnconfirmed(): Promise<void> {
    for (const id of this.#weights.ids) if (!this.#weights.confirmed(id)) await this.#memory.dropWeights(id)
  }
}

const gigabytes = (bytes: number): string => `${Number((bytes / 2 ** 30).toPrecision(3))} GiB`
