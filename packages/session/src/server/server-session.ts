/**
 * The server's side of one plan, for one secret key's owner: an engine, the owner's evaluation keys, the plan with its weights. It
 * holds no secret. Files in, files out; several runs may be at work at a time, each on a lane of its own, and one that is cancelled
 * or fails does not show in the others. They share the weights, encoded once, and the keys, which are loaded when a layer needs them
 * and fetched ahead. What carries the files is `answer`'s business, or the caller's.
 */
import {
  type Ciphertext,
  type CiphertextStore,
  type Engine,
  FormatError,
  type KeyRequest,
  type KeyStore,
  listKeyNeeds,
  MissingKeyError,
  type WantedKeyFile,
} from '@he-ml/ckks-core'
import { type BoundPlan, Runner, type RunOptions } from '@he-ml/pipeline'
import { maxCiphertextsBytes } from '../size-limits.ts'
import type { EngineHost, KeySource } from './engine-host.ts'

export interface ServerOptions {
  /** Bytes of memory for keys, of all runs together; default no limit. Less than all keys: they come and go as layers need them. */
  readonly keyBudget?: number
  /** Keep encoded weights between runs; default true. */
  readonly keepWeights?: boolean
  /** Bytes that the engine may hold, keys and weights of all runs included: what can be had again makes room. */
  readonly memory?: number
  /** Where ciphertexts go when memory is short. The session's from now on, which disposes of it. */
  readonly spill?: CiphertextStore
}

/** Checkpoints are left to the caller to clear, who has the result where it belongs then. */
export type ServerRunOptions = Pick<RunOptions, 'signal' | 'onProgress' | 'checkpoints'>

/** What a run gives. */
export interface ServerResult {
  /** The encrypted result, naming the plan, the key and the input that it answers. */
  readonly file: Uint8Array
  /** Of it, in the network itself. */
  readonly seconds: number
}

interface Keys {
  readonly store: KeyStore
  /** Uses them; its weights are shared by all runs. */
  readonly runner: Runner
}

/** See above. */
export class ServerSession implements AsyncDisposable {
  readonly bound: BoundPlan
  readonly #host: EngineHost
  readonly #options: ServerOptions
  #keys: Keys | undefined

  /** The engine is the session's from now on, which disposes of it. */
  constructor(bound: BoundPlan, host: EngineHost, options: ServerOptions = {}) {
    this.bound = bound
    this.#host = host
    this.#options = options
  }

  get engine(): Engine {
    return this.#host.engine
  }
  /** Name of the secret key whose keys are open. */
  get keyId(): string | undefined {
    return this.#keys?.store.keyId
  }
  /** The keys that are open: how many of them are in memory, and the like. */
  get keys(): KeyStore | undefined {
    return this.#keys?.store
  }
  /** The files of a key set that the plan needs. */
  get wantedKeys(): WantedKeyFile[] {
    return this.#host.wantedKeyFiles(this.bound.parameters, this.#request)
  }
  /** The largest file of inputs that can make sense. */
  get maxInputBytes(): number {
    const { plan, parameters } = this.bound
    const { ciphertexts: count, level } = plan.input
    return maxCiphertextsBytes(parameters, { count, level, degree: 1 })
  }

  /**
   * Opens the plan's keys, in place of others. Runs load what they need; `loadKeys` loads in advance.
   *
   * @throws MissingKeyError, FormatError, ParameterMismatchError
   */
  async openKeys(source: KeySource): Promise<void> {
    await this.#dropKeys()
    const { keyBudget, spill } = this.#options
    const store = await this.#host.openKeys(source, {
      plan: this.bound.plan.id,
      request: this.#request,
      ...(keyBudget === undefined ? {} : { budget: keyBudget }),
    })
    try {
      const runner = new Runner(this.bound, this.engine, { keys: store, ...(spill ? { spill } : {}) })
      this.#keys = { store, runner }
    } catch (error) {
      await store.dispose()
      throw error
    }
  }

  /**
   * Loads and checks all keys, in the order of the plan's request: as many of them stay as the budget has room for.
   *
   * @throws MissingKeyError before they are open; FormatError, ParameterMismatchError; CancelledError through the signal
   */
  async loadKeys(
    options: { readonly signal?: AbortSignal; readonly onProgress?: (loaded: number, total: number) => void } = {},
  ): Promise<void> {
    const { signal, onProgress } = options
    const { store } = this.#open('loadKeys')
    const needs = listKeyNeeds(this.#request)
    using _ = store.prefetch(needs)
    for (const [i, need] of needs.entries()) {
      ;(await store.acquire([need], signal ? { signal } : {})).dispose()
      onProgress?.(i + 1, needs.length)
    }
  }

  /** Encodes all weights now instead of during the first run. @throws MissingKeyError before the keys are open */
  async prepare(options: Pick<ServerRunOptions, 'signal' | 'onProgress'> = {}): Promise<void> {
    await this.#open('prepare').runner.prepare(options)
  }

  /**
   * Encrypted in, encrypted out.
   *
   * @throws FormatError, ParameterMismatchError for a file that is no input of this plan and key; MissingKeyError before the keys
   *   are loaded; CancelledError, MemoryError, InvalidArgumentError
   */
  async run(file: Uint8Array, options: ServerRunOptions = {}): Promise<ServerResult> {
    const { store, runner } = this.#open('run')
    if (file.length > this.maxInputBytes)
      throw new FormatError(`run: inputs of this plan have at most ${this.maxInputBytes} bytes, got ${file.length}`)
    const { plan } = this.bound
    const { checkpoints, ...rest } = options
    const { memory, keepWeights = true } = this.#options
    await using lane = this.engine.openLane()
    const { ciphertexts, names } = await lane.importCiphertexts(file, { plan: plan.id, slots: plan.input.slots })
    using _ = new Inputs(ciphertexts)
    const started = performance.now()
    using output = await runner.run(ciphertexts, {
      ...rest,
      keepWeights,
      ...(memory === undefined ? {} : { memory }),
      // a finished run keeps its checkpoints until the caller has the result where it belongs
      ...(checkpoints === undefined ? {} : { checkpoints: { ...checkpoints, clear: async () => {} } }),
    })
    const seconds = (performance.now() - started) / 1000
    const keyId = store.keyId === undefined ? {} : { keyId: store.keyId }
    return { file: await lane.exportCiphertexts(output.ciphertexts, { ...names, plan: plan.id, ...keyId }), seconds }
  }

  /** Ends what is at work, and the engine. Twice is harmless. */
  async dispose(): Promise<void> {
    await this.#dropKeys()
    await this.#options.spill?.dispose()
    await this.engine.dispose()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  get #request(): KeyRequest {
    return this.bound.plan.keyRequest as KeyRequest
  }

  #open(operation: string): Keys {
    if (!this.#keys) throw new MissingKeyError(`${operation}: the keys of the plan are not there: send them first`)
    return this.#keys
  }

  async #dropKeys(): Promise<void> {
    const keys = this.#keys
    this.#keys = undefined
    await keys?.runner.dispose()
    await keys?.store.dispose()
  }
}

class Inputs implements Disposable {
  readonly #ciphertexts: readonly Ciphertext[]
  constructor(ciphertexts: readonly Ciphertext[]) {
    this.#ciphertexts = ciphertexts
  }
  [Symbol.dispose](): void {
    for (const ciphertext of this.#ciphertexts) ciphertext.dispose()
  }
}
