/**
 * Client and server of one plan. They share nothing but files: the client holds the secret key, the server gets evaluation
 * keys and ciphertexts as bytes and gives bytes back.
 */
import { type AnyParameters, type KeyRequest, listKeyNeeds } from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import {
  createNativeEngine,
  encodeCiphertexts,
  exportSegment,
  importCiphertexts,
  loadEvaluationKeys,
  type NativeEngine,
} from '@he-ml/ckks-native'
import { createNativeClient, type NativeClient } from '@he-ml/ckks-native/client'
import type { Tensor } from '@he-ml/model'
import { pack, unpack } from '@he-ml/packing'
import { type BoundPlan, contractOf, inputLayoutOf, outputLayoutOf, Runner, type RunProgress } from '@he-ml/pipeline'

export type Report = (fraction: number, detail?: string) => void

/** The owner of the data. */
export class Client implements AsyncDisposable {
  readonly #plan: BoundPlan
  readonly #engine: NativeClient
  readonly #key: SecretKey

  private constructor(plan: BoundPlan, engine: NativeClient, key: SecretKey) {
    this.#plan = plan
    this.#engine = engine
    this.#key = key
  }
  static async create(plan: BoundPlan, threads: number): Promise<Client> {
    const engine = createNativeClient(plan.parameters, { threads })
    return new Client(plan, engine, await engine.generateSecretKey())
  }
  /** Evaluation key files for the server, one after another. */
  async *evaluationKeys(report: Report): AsyncGenerator<Uint8Array> {
    const { keyRequest, id } = this.#plan.plan
    const total = listKeyNeeds(keyRequest as KeyRequest).length
    let made = 0
    for await (const key of this.#engine.generateEvaluationKeys(this.#key, keyRequest as KeyRequest, { plan: id })) {
      yield key.bytes
      report(++made / total, `${made} of ${total} keys`)
    }
  }
  encrypt(tensors: readonly Tensor[]): Promise<Uint8Array> {
    const vectors = pack(tensors.length === 1 ? tensors[0]! : tensors, inputLayoutOf(this.#plan.plan))
    return this.#engine.encrypt(
      this.#key,
      vectors.map((values) => ({ values })),
      { contract: contractOf(this.#plan.plan) },
    )
  }
  async decrypt(file: Uint8Array, images: number): Promise<Tensor[]> {
    const results = await this.#engine.decrypt(this.#key, file, { contract: contractOf(this.#plan.plan) })
    const layout = outputLayoutOf(this.#plan.plan)
    return unpack(
      results.map((r) => r.re),
      layout,
      images,
    )
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#key.dispose()
    await this.#engine.dispose()
  }
}

/** Whoever has the machine; never sees a secret key. */
export class Server implements AsyncDisposable {
  readonly engine: NativeEngine
  readonly #parameters: AnyParameters
  readonly #plan: BoundPlan
  #runner: Runner | undefined

  constructor(plan: BoundPlan, threads: number) {
    this.#plan = plan
    this.#parameters = plan.parameters
    this.engine = createNativeEngine(plan.parameters, { threads })
  }
  async loadKeys(files: AsyncIterable<Uint8Array>): Promise<void> {
    await loadEvaluationKeys(this.engine, files)
    this.#runner = new Runner(this.#plan, this.engine)
  }
  /** Encodes the weights once, for all inputs to come. */
  prepare(report: Report): Promise<void> {
    return this.#runner!.prepare({ onProgress: ({ fraction, layer }) => report(fraction, layer) })
  }
  /** Encrypted in, encrypted out. */
  async run(
    file: Uint8Array,
    onProgress: (progress: RunProgress) => void,
  ): Promise<{ readonly file: Uint8Array; readonly seconds: number }> {
    const { ciphertexts, names } = await importCiphertexts(this.engine, file, { plan: this.#plan.plan.id })
    const started = performance.now()
    using output = await this.#runner!.run(ciphertexts, { onProgress })
    const seconds = (performance.now() - started) / 1000
    for (const ciphertext of ciphertexts) ciphertext.dispose()
    const segments = []
    for (const ciphertext of output.ciphertexts) segments.push(await exportSegment(this.engine, ciphertext))
    return { file: encodeCiphertexts(this.#parameters, segments, names), seconds }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner?.dispose()
    await this.engine.dispose()
  }
}
