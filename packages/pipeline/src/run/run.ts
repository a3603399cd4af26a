/**
 * Runs a bound plan on encrypted inputs. Layers and bootstraps run in order; within one the engine works on all its threads
 * and the event loop stays free. Weights are encoded for a step while the one before still computes, and kept or dropped
 * after use.
 */
import {
  CancelledError,
  type Ciphertext,
  type Engine,
  InvalidArgumentError,
  type KeyRequest,
  listKeyNeeds,
  MemoryError,
  MissingKeyError,
  ParameterMismatchError,
  toLevel,
} from '@he-ml/ckks-core'
import { PackedTensor } from '@he-ml/packing'
import { isRefresh, type ScheduledStep } from '../compile/schedule.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import type { CheckpointStore } from './checkpoint.ts'
import { inputsDigest, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'
import { type PreparedStep, StepPreparer } from './step-preparer.ts'
import { ValueTable } from './value-table.ts'

/** Where a run is. */
export interface RunProgress {
  /** Estimated share of the whole work that is done, 0 to 1. */
  readonly fraction: number
  /** Layer or bootstrap being worked on, or the last one. */
  readonly layer: string
  readonly layerIndex: number
  readonly layerCount: number
  /** Layers and bootstraps whose results came from a checkpoint. */
  readonly resumed: number
  readonly elapsedSeconds: number
  /** Estimate from the work done so far; undefined at the very beginning. */
  readonly remainingSeconds?: number
}

export interface RunOptions {
  readonly onProgress?: (progress: RunProgress) => void
  readonly signal?: AbortSignal
  /** Bytes the engine may hold; refused before the start when the plan's estimate is above. */
  readonly memory?: number
  /** Keep encoded weights for further inputs; default true. */
  readonly keepWeights?: boolean
  /** Layer results are stored here as they appear, and taken from here when the run is started again. */
  readonly checkpoints?: CheckpointStore
}

/** Milliseconds between two progress reports. */
const REPORT_INTERVAL = 100

/** A plan on an engine with its weights; use it for any number of inputs, one after another. */
export class Runner implements AsyncDisposable {
  readonly plan: BoundPlan
  readonly engine: Engine
  readonly #preparer: StepPreparer
  readonly #prepared = new Map<string, Promise<PreparedStep>>()
  /** Steps whose weights are known to be encoded, not merely queued; and circuits, by their index. */
  readonly #encoded = new Set<string | number>()
  #running = false

  /**
   * @throws ParameterMismatchError when the engine has other parameters than the plan
   * @throws MissingKeyError when the engine lacks a key the plan needs; the message lists them
   */
  constructor(plan: BoundPlan, engine: Engine) {
    if (plan.parameters.id !== engine.parameters.id)
      throw new ParameterMismatchError(
        `plan "${plan.plan.model.name}" is for parameters ${plan.parameters.id}, the engine has ${engine.parameters.id}`,
      )
    const missing = listKeyNeeds(plan.plan.keyRequest as KeyRequest).filter((need) => !engine.hasKey(need))
    if (missing.length > 0) {
      const names = missing.map((m) =>
        m.kind === 'rotation' ? `rotation by ${m.steps} at level ${m.level}` : `${m.kind} at level ${m.level}`,
      )
      throw new MissingKeyError(
        `the plan needs ${missing.length} keys that are not loaded: ${names.slice(0, 8).join(', ')}${missing.length > 8 ? ', ...' : ''}`,
      )
    }
    this.plan = plan
    this.engine = engine
    this.#preparer = new StepPreparer(plan.schedule, engine)
  }

  /** Encodes all weights now instead of during the first run. */
  async prepare(options: Pick<RunOptions, 'signal' | 'onProgress'> = {}): Promise<void> {
    const { steps } = this.plan.schedule
    const started = performance.now()
    for (const [layerIndex, step] of steps.entries()) {
      await this.#step(step, options.signal)
      options.onProgress?.({
        fraction: (layerIndex + 1) / steps.length,
        layer: step.name,
        layerIndex,
        layerCount: steps.length,
        resumed: 0,
        elapsedSeconds: (performance.now() - started) / 1000,
      })
    }
    await this.engine.drain()
    for (const step of steps) this.#markEncoded(step)
  }

  /**
   * The encrypted result. Inputs are not disposed of.
   *
   * @throws CancelledError, MemoryError, LevelError, InvalidArgumentError for inputs that do not fit the plan
   */
  async run(inputs: readonly Ciphertext[], options: RunOptions = {}): Promise<PackedTensor> {
    const { plan, schedule } = this.plan
    const { signal, onProgress, keepWeights = true, checkpoints } = options
    this.#checkInputs(inputs)
    if (this.#running)
      throw new InvalidArgumentError('run: this runner is at work; await its result, or make another runner')
    const { peakBytes, leanPeakBytes } = plan.report.memory
    const peak = keepWeights ? peakBytes : (leanPeakBytes ?? peakBytes)
    if (options.memory !== undefined && peak > options.memory)
      throw new MemoryError(
        `run: the plan expects a peak of ${gigabytes(peak)}, the ceiling is ${gigabytes(options.memory)}: raise it, run with keepWeights: false, or compile with a smaller batch or ring`,
      )
    const { steps } = schedule
    const total = steps.reduce((sum, step) => sum + this.#weight(step.name), 0)
    const started = performance.now()
    let done = 0
    let first = 0
    let current = 0
    const report = (extra: number): void => {
      const step = steps[Math.min(current, steps.length - 1)]!
      const fraction = Math.min(1, (done + extra) / total)
      const elapsedSeconds = (performance.now() - started) / 1000
      onProgress?.({
        fraction,
        layer: step.name,
        layerIndex: current,
        layerCount: steps.length,
        resumed: first,
        elapsedSeconds,
        ...(fraction > 0.02 ? { remainingSeconds: (elapsedSeconds * (1 - fraction)) / fraction } : {}),
      })
    }
    let stepStarted = started
    const ticker = onProgress
      ? setInterval(() => {
          const name = steps[current]?.name
          if (name === undefined) return
          // within a step: time against its estimate, never quite reaching its end
          const share = 1 - Math.exp(-(performance.now() - stepStarted) / 1000 / Math.max(1e-3, this.#weight(name)))
          report(share * this.#weight(name))
        }, REPORT_INTERVAL)
      : undefined
    const onAbort = () => this.engine.cancel()
    this.#running = true
    report(0)
    signal?.addEventListener('abort', onAbort, { once: true })

    const input = new PackedTensor(schedule.inputLayout, inputs)
    let values = new ValueTable(schedule, 0, input)
    try {
      const inputsId = checkpoints ? await inputsDigest(this.engine, inputs) : ''
      if (checkpoints) {
        const resumed = await loadCheckpoint(checkpoints, this.plan, this.engine, inputsId)
        if (resumed) {
          first = resumed.next
          values = new ValueTable(schedule, first, input)
          for (const [name, value] of resumed.values) values.put(name, value)
          for (const step of steps.slice(0, first)) done += this.#weight(step.name)
          current = first
          report(0)
        }
      }
      for (current = first; current < steps.length; current++) {
        const step = steps[current]!
        if (signal?.aborted) throw new CancelledError(`run: cancelled before "${step.name}"`)
        stepStarted = performance.now()
        const prepared = await this.#step(step, signal)
        const next = steps[current + 1]
        const outputs = await this.#apply(prepared, step, values, signal)
        values.write(step, outputs)
        if (next) this.#step(next, signal).catch(() => undefined) // reported when it is awaited
        await Promise.all(outputs.flatMap((tensor) => tensor.ciphertexts.map((c) => c.ready())))
        this.#markEncoded(step)
        if (!keepWeights) await this.#dropAfter(current)
        if (checkpoints && next)
          await saveCheckpoint(checkpoints, this.plan, this.engine, inputsId, current + 1, values.computed())
        done += this.#weight(step.name)
        report(0)
      }
      await checkpoints?.clear() // when that fails, the result is disposed of below like the rest
      return values.take(schedule.output)
    } catch (error) {
      // weights still in the queue were cancelled, or failed, and would fail every later run
      await this.#dropUnless((key) => this.#encoded.has(key))
      if (signal?.aborted && !(error instanceof CancelledError))
        throw new CancelledError(`run: cancelled`, { cause: error })
      throw error
    } finally {
      this.#running = false
      if (ticker) clearInterval(ticker)
      signal?.removeEventListener('abort', onAbort)
      values.dispose()
    }
  }

  /** Gives the encoded weights back. */
  async dispose(): Promise<void> {
    await this.#dropUnless(() => false)
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #checkInputs(inputs: readonly Ciphertext[]): void {
    const { inputLayout, inputLevel } = this.plan.schedule
    if (inputs.length !== inputLayout.ciphertexts)
      throw new InvalidArgumentError(
        `run: the plan takes ${inputLayout.ciphertexts} input ciphertexts, got ${inputs.length}`,
      )
    for (const [i, c] of inputs.entries()) {
      if (c.level < inputLevel)
        throw new InvalidArgumentError(
          `run: input ${i} is at level ${c.level}, the plan needs ${inputLevel}: encrypt it at that level`,
        )
      if (c.degree !== 1)
        throw new InvalidArgumentError(`run: input ${i} has degree 2; fresh ciphertexts have degree 1`)
      if (c.slots > inputLayout.slots)
        throw new InvalidArgumentError(`run: input ${i} has period ${c.slots}, the plan's layout ${inputLayout.slots}`)
    }
  }

  async #apply(
    prepared: PreparedStep,
    step: ScheduledStep,
    values: ValueTable,
    signal: AbortSignal | undefined,
  ): Promise<readonly PackedTensor[]> {
    const aligned: { readonly tensor: PackedTensor; readonly temporary: boolean }[] = []
    try {
      for (const tensor of values.read(step)) aligned.push(this.#atLevel(tensor, step.level))
      const inputs = aligned.map((a) => a.tensor)
      return await prepared.apply(this.engine, inputs, signal ? { signal } : {})
    } finally {
      for (const a of aligned) if (a.temporary) a.tensor.dispose()
    }
  }

  #atLevel(tensor: PackedTensor, level: number): { tensor: PackedTensor; temporary: boolean } {
    const scale = this.engine.parameters.scaleAt(level)
    if (tensor.level === level && Math.abs(tensor.scale / scale - 1) < 2 ** -30) return { tensor, temporary: false }
    return {
      tensor: new PackedTensor(
        tensor.layout,
        tensor.ciphertexts.map((c) => toLevel(this.engine, c, level)),
      ),
      temporary: true,
    }
  }

  #weight(name: string): number {
    return Math.max(1e-4, this.plan.plan.report.layers.find((l) => l.name === name)?.seconds ?? 1)
  }

  #step(step: ScheduledStep, signal: AbortSignal | undefined): Promise<PreparedStep> {
    const known = this.#prepared.get(step.name)
    if (known) return known
    const made = this.#preparer.prepare(step, signal)
    this.#prepared.set(step.name, made)
    made.catch(() => this.#prepared.delete(step.name))
    return made
  }

  #markEncoded(step: ScheduledStep): void {
    this.#encoded.add(step.name)
    if (isRefresh(step)) this.#encoded.add(step.circuit)
  }

  /** Drops what a step needed, unless a later one needs it too. */
  async #dropAfter(index: number): Promise<void> {
    const { steps } = this.plan.schedule
    const step = steps[index]!
    await this.#drop(step.name)
    if (!isRefresh(step)) return
    const again = steps.slice(index + 1).some((later) => isRefresh(later) && later.circuit === step.circuit)
    if (!again) await this.#dropCircuit(step.circuit)
  }

  async #dropUnless(keep: (key: string | number) => boolean): Promise<void> {
    for (const name of [...this.#prepared.keys()]) if (!keep(name)) await this.#drop(name)
    for (const index of this.#preparer.circuits) if (!keep(index)) await this.#dropCircuit(index)
  }

  async #drop(name: string): Promise<void> {
    const prepared = this.#prepared.get(name)
    this.#prepared.delete(name)
    this.#encoded.delete(name)
    await prepared?.then(
      (p) => p[Symbol.dispose](),
      () => undefined,
    )
  }

  async #dropCircuit(index: number): Promise<void> {
    this.#encoded.delete(index)
    await this.#preparer.dropCircuit(index)
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`
