/**
 * Runs a bound plan on encrypted inputs. Layers run in order; within a layer the engine works on all its threads and the
 * event loop stays free. Weights are encoded for a layer while the one before still computes, and kept or dropped after use.
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
import { PackedTensor, type PreparedLayer } from '@he-ml/packing'
import type { ScheduledNode } from '../compile/schedule.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import type { CheckpointStore } from './checkpoint.ts'
import { inputsDigest, loadCheckpoint, saveCheckpoint } from './checkpoint.ts'

/** Where a run is. */
export interface RunProgress {
  /** Estimated share of the whole work that is done, 0 to 1. */
  readonly fraction: number
  /** Layer being worked on, or the last one. */
  readonly layer: string
  readonly layerIndex: number
  readonly layerCount: number
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
  readonly #prepared = new Map<string, Promise<PreparedLayer>>()
  /** Layers whose weights are known to be encoded, not merely queued. */
  readonly #encoded = new Set<string>()
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
  }

  /** Encodes all weights now instead of during the first run. */
  async prepare(options: Pick<RunOptions, 'signal' | 'onProgress'> = {}): Promise<void> {
    const count = this.plan.schedule.nodes.length
    const started = performance.now()
    for (const [layerIndex, node] of this.plan.schedule.nodes.entries()) {
      await this.#layer(node.name, options.signal)
      options.onProgress?.({
        fraction: (layerIndex + 1) / count,
        layer: node.name,
        layerIndex,
        layerCount: count,
        elapsedSeconds: (performance.now() - started) / 1000,
      })
    }
    await this.engine.drain()
    for (const name of this.#prepared.keys()) this.#encoded.add(name)
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
    if (options.memory !== undefined && plan.report.memory.peakBytes > options.memory)
      throw new MemoryError(
        `run: the plan expects a peak of ${gigabytes(plan.report.memory.peakBytes)}, the ceiling is ${gigabytes(options.memory)}: raise it, or compile with a smaller batch or ring`,
      )
    const total = schedule.nodes.reduce((sum, node) => sum + this.#weight(node.name), 0)
    const started = performance.now()
    let done = 0
    let current = 0
    const report = (extra: number): void => {
      const node = schedule.nodes[Math.min(current, schedule.nodes.length - 1)]!
      const fraction = Math.min(1, (done + extra) / total)
      const elapsedSeconds = (performance.now() - started) / 1000
      onProgress?.({
        fraction,
        layer: node.name,
        layerIndex: current,
        layerCount: schedule.nodes.length,
        elapsedSeconds,
        ...(fraction > 0.02 ? { remainingSeconds: (elapsedSeconds * (1 - fraction)) / fraction } : {}),
      })
    }
    let layerStarted = started
    const ticker = onProgress
      ? setInterval(() => {
          const name = schedule.nodes[current]?.name
          if (name === undefined) return
          // within a layer: time against its estimate, never quite reaching its end
          const share = 1 - Math.exp(-(performance.now() - layerStarted) / 1000 / Math.max(1e-3, this.#weight(name)))
          report(share * this.#weight(name))
        }, REPORT_INTERVAL)
      : undefined
    const onAbort = () => this.engine.cancel()
    this.#running = true
    report(0)
    signal?.addEventListener('abort', onAbort, { once: true })

    const values = new Map<string, PackedTensor>()
    const inputName = this.plan.model.input.name
    values.set(inputName, new PackedTensor(schedule.inputLayout, inputs))
    try {
      let first = 0
      const inputsId = checkpoints ? await inputsDigest(this.engine, inputs) : ''
      if (checkpoints) {
        const resumed = await loadCheckpoint(checkpoints, this.plan, this.engine, inputsId)
        if (resumed) {
          for (const [name, value] of resumed.values) values.set(name, value)
          first = resumed.next
          for (const node of schedule.nodes.slice(0, first)) done += this.#weight(node.name)
        }
      }
      const readers = countReaders(this.plan, first)
      for (current = first; current < schedule.nodes.length; current++) {
        const node = schedule.nodes[current]!
        if (signal?.aborted) throw new CancelledError(`run: cancelled before layer "${node.name}"`)
        layerStarted = performance.now()
        const layer = await this.#layer(node.name, signal)
        const next = schedule.nodes[current + 1]
        const output = await this.#apply(layer, node, values, signal)
        if (next) this.#layer(next.name, signal).catch(() => undefined) // reported when it is awaited
        values.set(node.name, output)
        await Promise.all(output.ciphertexts.map((c) => c.ready()))
        this.#encoded.add(node.name)
        for (const name of node.inputs) {
          const left = readers.get(name)! - 1
          readers.set(name, left)
          if (left === 0 && name !== inputName) {
            values.get(name)?.dispose()
            values.delete(name)
          }
        }
        if (!keepWeights) await this.#drop(node.name)
        if (checkpoints && next)
          await saveCheckpoint(checkpoints, this.plan, this.engine, inputsId, current + 1, values, inputName)
        done += this.#weight(node.name)
        report(0)
      }
      await checkpoints?.clear() // when that fails, the result is disposed of below like the rest
      const result = values.get(schedule.output)!
      values.delete(schedule.output)
      return result
    } catch (error) {
      // weights still in the queue were cancelled, or failed, and would fail every later run
      for (const name of [...this.#prepared.keys()]) if (!this.#encoded.has(name)) await this.#drop(name)
      if (signal?.aborted && !(error instanceof CancelledError))
        throw new CancelledError(`run: cancelled`, { cause: error })
      throw error
    } finally {
      this.#running = false
      if (ticker) clearInterval(ticker)
      signal?.removeEventListener('abort', onAbort)
      for (const [name, value] of values) if (name !== inputName) value.dispose()
    }
  }

  /** Gives the encoded weights back. */
  async dispose(): Promise<void> {
    for (const name of [...this.#prepared.keys()]) await this.#drop(name)
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
    layer: PreparedLayer,
    node: ScheduledNode,
    values: ReadonlyMap<string, PackedTensor>,
    signal: AbortSignal | undefined,
  ): Promise<PackedTensor> {
    const aligned: { readonly tensor: PackedTensor; readonly temporary: boolean }[] = []
    try {
      for (const name of node.inputs) aligned.push(this.#atLevel(values.get(name)!, node.level))
      const inputs = aligned.map((a) => a.tensor)
      return await layer.apply(this.engine, inputs, signal ? { signal } : {})
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

  #layer(name: string, signal: AbortSignal | undefined): Promise<PreparedLayer> {
    const known = this.#prepared.get(name)
    if (known) return known
    const node = this.plan.schedule.nodes.find((n) => n.name === name)!
    const made = node.lowered.prepare(this.engine, { level: node.level, ...(signal ? { signal } : {}) })
    this.#prepared.set(name, made)
    made.catch(() => this.#prepared.delete(name))
    return made
  }

  async #drop(name: string): Promise<void> {
    const prepared = this.#prepared.get(name)
    this.#prepared.delete(name)
    this.#encoded.delete(name)
    await prepared?.then(
      (p) => p.dispose(),
      () => undefined,
    )
  }
}

/** How often each value is still read by the layers from `first` on. */
function countReaders(bound: BoundPlan, first: number): Map<string, number> {
  const readers = new Map<string, number>([[bound.schedule.output, 1]])
  for (const { inputs } of bound.schedule.nodes.slice(first))
    for (const name of inputs) readers.set(name, (readers.get(name) ?? 0) + 1)
  return readers
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`
