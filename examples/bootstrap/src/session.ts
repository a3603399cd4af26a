/**
 * Two sides that share nothing but bytes: the client holds the secret key, the server gets evaluation keys and ciphertexts.
 */
import {
  type Bootstrapping,
  type Ciphertext,
  type KeyRequest,
  listKeyNeeds,
  type PreparedBootstrapping,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { createNativeEngine, loadEvaluationKeys, type NativeEngine } from '@he-ml/ckks-native'
import { createNativeClient, type NativeClient } from '@he-ml/ckks-native/client'
import { type Hands, tick } from './clock.ts'

export type Report = (done: number, total: number) => void

/** Whoever owns the clocks. */
export class Client implements AsyncDisposable {
  readonly #engine: NativeClient
  readonly #key: SecretKey

  private constructor(engine: NativeClient, key: SecretKey) {
    this.#engine = engine
    this.#key = key
  }
  static async create({ parameters }: Bootstrapping, threads: number): Promise<Client> {
    const engine = createNativeClient(parameters, { threads })
    return new Client(engine, await engine.generateSecretKey())
  }
  /** Key files for the server, one after another: together they would fill the memory. */
  async *evaluationKeys(request: KeyRequest, report: Report): AsyncGenerator<Uint8Array> {
    const total = listKeyNeeds(request).length
    let made = 0
    for await (const { bytes } of this.#engine.generateEvaluationKeys(this.#key, request)) {
      yield bytes
      report(++made, total)
    }
  }
  encrypt(values: Hands, level: number): Promise<Uint8Array> {
    return this.#engine.encrypt(this.#key, [{ values }], { level })
  }
  async decrypt(file: Uint8Array): Promise<Hands> {
    const [result] = await this.#engine.decrypt(this.#key, file)
    return result!
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#key.dispose()
    await this.#engine.dispose()
  }
}

/** Whoever has the machine. It turns hands that it cannot read. */
export class Server implements AsyncDisposable {
  readonly #circuit: Bootstrapping
  readonly #engine: NativeEngine
  #bootstrapping: PreparedBootstrapping | undefined
  #hands: Ciphertext | undefined
  #turns: Ciphertext | undefined

  constructor(circuit: Bootstrapping, threads: number) {
    this.#circuit = circuit
    this.#engine = createNativeEngine(circuit.parameters, { threads })
  }
  /** Loads the keys and encodes the matrices of the bootstrapping circuit. */
  async open(keys: AsyncIterable<Uint8Array>): Promise<void> {
    await loadEvaluationKeys(this.#engine, keys)
    this.#bootstrapping = await this.#circuit.prepare(this.#engine)
  }
  async accept(hands: Uint8Array, turns: Uint8Array): Promise<void> {
    this.#hands = await this.#engine.importCiphertext(hands)
    this.#turns = await this.#engine.importCiphertext(turns)
  }
  /** Products left, the levels that the next bootstrap starts from not counted. */
  get ticksLeft(): number {
    return this.#hands!.level - this.#circuit.inputLevel
  }
  get level(): number {
    return this.#hands!.level
  }
  tick(): Promise<number> {
    return this.#replace((hands) => tick(this.#engine, hands, this.#turns!))
  }
  bootstrap(): Promise<number> {
    return this.#replace((hands) => this.#bootstrapping!.bootstrap(this.#engine, hands))
  }
  result(): Promise<Uint8Array> {
    return this.#engine.exportCiphertext(this.#hands!)
  }
  /** Seconds until the new hands are computed. */
  async #replace(step: (hands: Ciphertext) => Ciphertext): Promise<number> {
    using before = this.#hands!
    const started = performance.now()
    this.#hands = step(before)
    await this.#hands.ready()
    return (performance.now() - started) / 1000
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of [this.#hands, this.#turns, this.#bootstrapping]) handle?.dispose()
    await this.#engine.dispose()
  }
}
