/**
 * The server's side of one plan, for one secret key's owner: an engine, the owner's evaluation keys, the plan with its weights. It
 * holds no secret. Files in, files out; several runs may be at work at a time, each on a lane of its own, and one that is cancelled
 * or fails does not show in the others. What carries the files is `answer`'s business, or the caller's.
 */
import {
  type Ciphertext,
  type Engine,
  FormatError,
  type KeyLease,
  type KeyRequest,
  type KeyStore,
  type Lane,
  listKeyNeeds,
  MissingKeyError,
  type WantedKeyFile,
} from '@he-ml/ckks-core'
import { type BoundPlan, type CheckpointStore, inputLayoutOf, Runner, type RunProgress } from '@he-ml/pipeline'
import { maxCiphertextsBytes } from '../size-limits.ts'
import type { EngineHost, KeySource } from './engine-host.ts'

export interface ServerOptions {
  /** Bytes of memory for keys; default no limit. */
  readonly keyBudget?: number
  /** Keep encoded weights between runs; default true. */
  readonly keepWeights?: boolean
  /** Bytes the engine may hold; a run is refused before its start when the plan needs more. */
  readonly memory?: number
}

export interface ServerRunOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RunProgress) => void
  /** Results of layers are kept here, and taken from here when the run is started again. The caller clears it. */
  readonly checkpoints?: CheckpointStore
}

/** What a run gives. */
export interface ServerResult {
  /** The encrypted result, naming the plan, the key and the input that it answers. */
  readonly file: Uint8Array
  /** Of it, in the network itself. */
  readonly seconds: number
}

interface Worker {
  readonly lane: Lane
  readonly runner: Runner
}

/** See above. */
export class ServerSession implements AsyncDisposable {
  readonly bound: BoundPlan
  readonly #host: EngineHost
  readonly #options: ServerOptions
  readonly #idle: Worker[] = []
  #keys: { readonly store: KeyStore; readonly lease: KeyLease } | undefined

  /** The engine is the session's from now on, which disposes of it. */
  constructor(bound: BoundPlan, host: EngineHost, options: ServerOptions = {}) {
    this.bound = bound
    this.#host = host
    this.#options = options
  }

  get engine(): Engine {
    return this.#host.engine
  }
  /** Name of the secret key whose keys are loaded. */
  get keyId(): string | undefined {
    return this.#keys?.store.keyId
  }
  /** The files of a key set that the plan needs. */
  get wantedKeys(): WantedKeyFile[] {
    return this.#host.wantedKeyFiles(this.bound.parameters, this.#request)
  }
  /** The largest file of inputs that can make sense. */
  get maxInputBytes(): number {
    const { plan, parameters } = this.bound
    const { ciphertexts: count } = inputLayoutOf(plan)
    return maxCiphertextsBytes(parameters, { count, level: plan.input.level, degree: 1 })
  }

  /**
   * Opens and loads the plan's keys, in place of others.
   *
   * @throws MissingKeyError, FormatError, ParameterMismatchError; CancelledError through the signal
   */
  async openKeys(
    source: KeySource,
    options: { readonly signal?: AbortSignal; readonly onProgress?: (loaded: number, total: number) => void } = {},
  ): Promise<void> {
    const { signal, onProgress } = options
    await this.#dropKeys()
    const budget = this.#options.keyBudget
    const store = await this.#host.openKeys(source, {
      plan: this.bound.plan.id,
      request: this.#request,
      ...(budget === undefined ? {} : { budget }),
    })
    try {
      const needs = listKeyNeeds(this.#request)
      using _ = store.prefetch(needs)
      for (const [i, need] of needs.entries()) {
        ;(await store.acquire([need], signal ? { signal } : {})).dispose()
        onProgress?.(i + 1, needs.length)
      }
      this.#keys = { store, lease: await store.acquire(needs, signal ? { signal } : {}) }
    } catch (error) {
      await store.dispose()
      throw error
    }
  }

  /** Encodes all weights now instead of during the first run. */
  async prepare(options: Pick<ServerRunOptions, 'signal' | 'onProgress'> = {}): Promise<void> {
    const worker = this.#worker()
    try {
      await worker.runner.prepare(options)
    } finally {
      this.#idle.push(worker)
    }
  }

  /**
   * Encrypted in, encrypted out.
   *
   * @throws FormatError, ParameterMismatchError for a file that is no input of this plan and key; MissingKeyError before the keys
   *   are loaded; CancelledError, MemoryError, InvalidArgumentError
   */
  async run(file: Uint8Array, options: ServerRunOptions = {}): Promise<ServerResult> {
    if (!this.#keys) throw new MissingKeyError('run: the keys of the plan are not loaded: send them first')
    if (file.length > this.maxInputBytes)
      throw new FormatError(`run: inputs of this plan have at most ${this.maxInputBytes} bytes, got ${file.length}`)
    const { plan } = this.bound
    const worker = this.#worker()
    const { lane, runner } = worker
    let inputs: readonly Ciphertext[] = []
    let failed = true
    try {
      const { ciphertexts, names } = await lane.importCiphertexts(file, { plan: plan.id, slots: plan.input.slots })
      inputs = ciphertexts
      const { checkpoints, ...rest } = options
      const { memory, keepWeights = true } = this.#options
      const started = performance.now()
      using output = await runner.run(inputs, {
        ...rest,
        keepWeights,
        ...(memory === undefined ? {} : { memory }),
        // a finished run keeps its checkpoints until the caller has the result where it belongs
        ...(checkpoints === undefined ? {} : { checkpoints: { ...checkpoints, clear: async () => {} } }),
      })
      const seconds = (performance.now() - started) / 1000
      const keyId = this.keyId
      const result = await lane.exportCiphertexts(output.ciphertexts, {
        ...names,
        plan: plan.id,
        ...(keyId === undefined ? {} : { keyId }),
      })
      failed = false
      return { file: result, seconds }
    } finally {
      for (const input of inputs) input.dispose()
      if (failed || !(this.#options.keepWeights ?? true)) await this.#end(worker)
      else this.#idle.push(worker)
    }
  }

  /** Ends what is at work, and the engine. Twice is harmless. */
  async dispose(): Promise<void> {
    for (const worker of this.#idle.splice(0)) await this.#end(worker)
    await this.#dropKeys()
    await this.engine.dispose()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  get #request(): KeyRequest {
    return this.bound.plan.keyRequest as KeyRequest
  }

  /** One that is idle, with its weights, or a new one. */
  #worker(): Worker {
    const idle = this.#idle.pop()
    if (idle) return idle
    if (!this.#keys) throw new MissingKeyError('the keys of the plan are not loaded: send them first')
    const lane = this.engine.openLane()
    return { lane, runner: new Runner(this.bound, lane) }
  }

  async #end({ lane, runner }: Worker): Promise<void> {
    await runner.dispose()
    await lane.dispose()
  }

  async #dropKeys(): Promise<void> {
    this.#keys?.lease.dispose()
    await this.#keys?.store.dispose()
    this.#keys = undefined
  }
}
