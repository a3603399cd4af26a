/**
 * The server's side of one plan, for one secret key's owner: an engine, the owner's evaluation keys, the plan with its weights. It
 * holds no secret. Files in, files out; several runs may be at work at a time, each on a lane of its own, and one that is cancelled
 * or fails does not show in the others. They share the weights, encoded once, and the keys, which are loaded when a layer needs them
 * and fetched ahead. What carries the files is `answer`'s business, or the caller's.
 */
import {
  CancelledError,
  type Ciphertext,
  type CiphertextStore,
  checkArgument,
  checkOptions,
  DisposedError,
  type Engine,
  type EngineHost,
  FormatError,
  InvalidArgumentError,
  type KeyRequest,
  type KeySource,
  type KeyStore,
  listKeyNeeds,
  MissingKeyError,
  type OptionCheck,
  type OptionChecks,
  optionCheck,
  type WantedKeyFile,
} from '@he-ml/ckks-core'
import { type BoundPlan, planCheck, type Runner, type RunOptions } from '@he-ml/pipeline'
import { assertParameters } from '../assert-parameters.ts'
import { named } from '../named.ts'
import { maxCiphertextsBytes } from '../size-limits.ts'
import { isKeySource } from './is-key-source.ts'
import { judgeKeys } from './judge-keys.ts'
import { keptCheckpoints } from './kept-checkpoints.ts'

/** Options of a server's session. */
export interface ServerOptions {
  /**
   * Bytes of memory for keys, of all runs together; default `memory`. Less than all keys: they come and go as layers
   * need them. Less than one layer needs at once is said when keys are opened.
   */
  readonly keyBudget?: number
  /** Keep encoded weights between runs; default true. */
  readonly keepWeights?: boolean
  /**
   * Bytes that the engine may hold, keys and weights of all runs included: what can be had again makes room. Too little for any run is
   * said when keys are opened.
   */
  readonly memory?: number
  /** Where ciphertexts go when memory is short. The session's from now on, which disposes of it. */
  readonly spill?: CiphertextStore
}

/** Checkpoints are left to the caller to clear, who has the result where it belongs then. */
export interface ServerRunOptions extends Pick<RunOptions, 'signal' | 'onProgress' | 'onTask' | 'checkpoints'> {
  /** What messages call the file of inputs: its path, where it has one. */
  readonly inputName?: string
}

/** What a run gives. */
export interface ServerResult {
  /** The encrypted result, naming the plan, the key and the input that it answers. */
  readonly file: Uint8Array
  /** Of it, in the network itself. */
  readonly seconds: number
}

/** Of each option. */
export const SERVER_OPTIONS: OptionChecks<ServerOptions> = {
  keyBudget: optionCheck.number(0),
  keepWeights: optionCheck.boolean,
  memory: optionCheck.number(0),
  spill: optionCheck.object,
}
/** What `makeHost` of `openServer` is to give. */
export const hasEngine: OptionCheck = (value) =>
  optionCheck.object(value) === undefined && optionCheck.object((value as Partial<EngineHost>).engine) === undefined
    ? undefined
    : 'an engine with its key stores, as createNativeHost and createSealHost make them'
const LOAD_OPTIONS = { signal: optionCheck.signal, onProgress: optionCheck.callable }
const RUN_OPTIONS: OptionChecks<ServerRunOptions> = {
  signal: optionCheck.signal,
  onProgress: optionCheck.callable,
  onTask: optionCheck.callable,
  checkpoints: optionCheck.object,
  inputName: optionCheck.string,
}

interface Keys {
  readonly store: KeyStore
  /** Uses them; its weights are shared by all runs. */
  readonly runner: Runner
}

/** See above. */
export class ServerSession implements AsyncDisposable {
  /** The plan that it serves, bound to its model. */
  readonly bound: BoundPlan
  readonly #host: EngineHost
  readonly #options: ServerOptions
  #keys: Keys | undefined
  /** Whatever uses the keys now. */
  #atWork = 0
  /** Keys that are being opened. */
  #opening: Promise<void> | undefined
  #disposing: Promise<void> | undefined

  /**
   * The engine is the session's from now on, which disposes of it.
   * @throws ParameterMismatchError for one with other parameters than the plan's, InvalidArgumentError for options that there are not; it is left
   *   to the caller then
   */
  constructor(bound: BoundPlan, host: EngineHost, options: ServerOptions = {}) {
    checkOptions('ServerSession', options, SERVER_OPTIONS)
    checkArgument('ServerSession', 'bound', bound, planCheck.bound)
    checkArgument('ServerSession', 'host', host, hasEngine)
    assertParameters('server', host.engine, bound.parameters)
    this.bound = bound
    this.#host = host
    this.#options = options
  }

  /** What runs the plan. */
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
   * Opens the plan's keys, in place of others. Runs load what they need; `loadKeys` loads in advance. Keys that are refused here leave
   * those that are open as they are; runs may begin with these until the new ones are judged.
   *
   * @throws InvalidArgumentError while runs are at work; MemoryError when the ceiling is below what any run takes, or the budget for keys
   *   below what a layer needs at once, before a key is read; MissingKeyError, FormatError, ParameterMismatchError; DisposedError
   */
  async openKeys(source: KeySource): Promise<void> {
    checkArgument('openKeys', 'source', source, isKeySource)
    this.assertIdle('openKeys')
    const opening = this.#exchangeKeys(source)
    this.#opening = opening
    try {
      await opening
    } finally {
      this.#opening = undefined
    }
  }

  /** @throws InvalidArgumentError while the keys are in use, or being opened, so that no others can take their place; DisposedError */
  assertIdle(operation: string): void {
    this.#assertOpen(operation)
    if (this.#opening)
      throw new InvalidArgumentError(`${operation}: other keys are being opened: await them first, or cancel them`)
    this.#assertUnused(operation)
  }

  /** @throws MissingKeyError before keys are open; DisposedError */
  assertReady(operation: string): void {
    this.#ready(operation)
  }

  /**
   * Loads and checks all keys, in the order of the plan's request: as many of them stay as the budget has room for.
   *
   * @throws MissingKeyError before they are open; FormatError, ParameterMismatchError; CancelledError through the signal;
   *   DisposedError, also when the session is disposed of meanwhile
   */
  loadKeys(
    options: { readonly signal?: AbortSignal; readonly onProgress?: (loaded: number, total: number) => void } = {},
  ): Promise<void> {
    checkOptions('loadKeys', options, LOAD_OPTIONS)
    const { signal, onProgress } = options
    return this.#use('loadKeys', signal, async ({ store }) => {
      const needs = listKeyNeeds(this.#request)
      using _ = store.prefetch(needs)
      for (const [i, need] of needs.entries()) {
        ;(await store.acquire([need], signal ? { signal } : {})).dispose()
        onProgress?.(i + 1, needs.length)
      }
    })
  }

  /** Encodes all weights now instead of during the first run. @throws MissingKeyError before the keys are open; DisposedError */
  prepare(options: Pick<ServerRunOptions, 'signal' | 'onProgress'> = {}): Promise<void> {
    checkOptions('prepare', options, LOAD_OPTIONS)
    return this.#use('prepare', options.signal, ({ runner }) => runner.prepare(options))
  }

  /** Gives back the encoded weights that no run is using; the next run, or `prepare`, encodes them again. */
  async dropWeights(): Promise<void> {
    await this.#keys?.runner.dispose()
  }

  /**
   * Encrypted in, encrypted out.
   *
   * @throws FormatError, ParameterMismatchError for a file that is no input of this plan and key; MissingKeyError before the keys
   *   are open; CancelledError through the signal, MemoryError, InvalidArgumentError; what loading a key throws; DisposedError, also when
   *   the session is disposed of meanwhile
   */
  async run(file: Uint8Array, options: ServerRunOptions = {}): Promise<ServerResult> {
    checkOptions('run', options, RUN_OPTIONS)
    checkArgument('run', 'file', file, optionCheck.bytes)
    return this.#use('run', options.signal, (keys) => this.#run(keys, file, options))
  }

  /** Ends what is at work, which fails with DisposedError, keys that are being opened included, and the engine. Twice is harmless. */
  dispose(): Promise<void> {
    this.#disposing ??= this.#end()
    return this.#disposing
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  get #request(): KeyRequest {
    return this.bound.plan.keyRequest as KeyRequest
  }

  async #run({ store, runner }: Keys, file: Uint8Array, options: ServerRunOptions): Promise<ServerResult> {
    const { checkpoints, inputName = 'the input', ...rest } = options
    if (file.length > this.maxInputBytes)
      throw new FormatError(
        `${inputName}: inputs of this plan have at most ${this.maxInputBytes} bytes, got ${file.length}`,
      )
    const { plan } = this.bound
    const { memory, keepWeights = true } = this.#options
    await using lane = this.engine.openLane()
    using inputs = new Inputs()
    let names = {}
    let started = 0
    // read when the run's turn has come: inputs of runs that wait take no memory of the engine
    const read = async (): Promise<readonly Ciphertext[]> => {
      const imported = lane.importCiphertexts(file, { plan: plan.id, slots: plan.input.slots })
      const read = await named(inputName, imported)
      names = read.names
      started = performance.now()
      return inputs.keep(read.ciphertexts)
    }
    using output = await runner.run(read, {
      ...rest,
      keepWeights,
      ...(memory === undefined ? {} : { memory }),
      ...(checkpoints === undefined ? {} : { checkpoints: keptCheckpoints(checkpoints) }),
    })
    const seconds = (performance.now() - started) / 1000
    const keyId = store.keyId === undefined ? {} : { keyId: store.keyId }
    return { file: await lane.exportCiphertexts(output.ciphertexts, { ...names, plan: plan.id, ...keyId }), seconds }
  }

  /** Work with the keys that are open; as long as it lasts no others are opened. */
  async #use<T>(operation: string, signal: AbortSignal | undefined, work: (keys: Keys) => Promise<T>): Promise<T> {
    const keys = this.#ready(operation)
    this.#atWork++
    try {
      return await work(keys)
    } catch (error) {
      // whatever it stumbled over when the engine went away
      const cancelled = signal?.aborted && error instanceof CancelledError
      throw this.#disposing && !cancelled ? disposed(operation, error) : error
    } finally {
      this.#atWork--
    }
  }

  #ready(operation: string): Keys {
    this.#assertOpen(operation)
    if (!this.#keys) throw new MissingKeyError(`${operation}: the keys of the plan are not there: send them first`)
    return this.#keys
  }

  #assertOpen(operation: string): void {
    if (this.#disposing) throw disposed(operation)
  }

  #assertUnused(operation: string): void {
    if (this.#atWork === 0) return
    throw new InvalidArgumentError(
      `${operation}: runs are at work with the keys that are open: await them first, or cancel them`,
    )
  }

  async #exchangeKeys(source: KeySource): Promise<void> {
    const { memory, keyBudget: budget = memory } = this.#options
    let judged: Keys | undefined
    const judge = async (store: KeyStore): Promise<void> => {
      judged = { store, runner: judgeKeys(this.bound, this.engine, store, this.#options) }
      this.#assertOpen('openKeys')
      this.#assertUnused('openKeys')
      await this.#dropKeys()
    }
    await this.#host.openKeys(source, {
      plan: this.bound.plan.id,
      request: this.#request,
      ...(budget === undefined ? {} : { budget }),
      onJudged: judge,
    })
    this.#keys = judged
    // `dispose` waits for this, and drops them
    this.#assertOpen('openKeys')
  }

  async #end(): Promise<void> {
    await this.#opening?.catch(() => {})
    try {
      await this.#dropKeys()
      await this.#options.spill?.dispose()
    } finally {
      await this.engine.dispose()
    }
  }

  async #dropKeys(): Promise<void> {
    const keys = this.#keys
    this.#keys = undefined
    await keys?.runner.dispose()
    await keys?.store.dispose()
  }
}

class Inputs implements Disposable {
  #ciphertexts: readonly Ciphertext[] = []
  keep(ciphertexts: readonly Ciphertext[]): readonly Ciphertext[] {
    this.#ciphertexts = ciphertexts
    return ciphertexts
  }
  [Symbol.dispose](): void {
    for (const ciphertext of this.#ciphertexts) ciphertext.dispose()
  }
}

const disposed = (operation: string, cause?: unknown): DisposedError =>
  new DisposedError(`${operation}: the session was disposed of`, { cause })
