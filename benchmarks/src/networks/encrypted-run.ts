/** One network from plan to decrypted logits: the client here, the server in its own process, files between them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyRequest } from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { createNativeClient, type NativeClient } from '@he-ml/ckks-native/client'
import type { Tensor } from '@he-ml/model'
import { pack, unpack } from '@he-ml/packing'
import { type BoundPlan, contractOf, inputLayoutOf, outputLayoutOf } from '@he-ml/pipeline'
import type { ServerReply } from './server.worker.ts'
import { ServerProcess } from './server-process.ts'

export interface InferenceResult {
  readonly logits: readonly Float64Array[]
  /** Server seconds, bytes to bytes. */
  readonly seconds: number
  /** Server seconds in the network itself. */
  readonly networkSeconds: number
  /** Longest time the server's event loop did not turn. */
  readonly eventLoopDelayMs: number
  readonly encryptSeconds: number
  readonly decryptSeconds: number
}

export class EncryptedRun implements AsyncDisposable {
  readonly #bound: BoundPlan
  readonly #client: NativeClient
  readonly #key: SecretKey
  readonly #folder: string
  readonly #server: ServerProcess

  private constructor(bound: BoundPlan, client: NativeClient, key: SecretKey, folder: string) {
    this.#bound = bound
    this.#client = client
    this.#key = key
    this.#folder = folder
    this.#server = new ServerProcess()
  }

  /** Starts both sides with the plan; the model file is the one the plan was made for. */
  static async start(bound: BoundPlan, model: string, threads: number): Promise<EncryptedRun> {
    const client = createNativeClient(bound.parameters, { threads })
    const folder = await mkdtemp(join(tmpdir(), 'he-ml-bench-'))
    const run = new EncryptedRun(bound, client, await client.generateSecretKey(), folder)
    const plan = join(folder, 'plan.json')
    await writeFile(plan, JSON.stringify(bound.plan))
    await run.#server.ask({ do: 'open', plan, model, name: bound.plan.model.name, threads })
    return run
  }

  /** Makes all evaluation keys and loads them into the server, one file after another. */
  async loadKeys(): Promise<{ generateSeconds: number; loadSeconds: number; bytes: number; count: number }> {
    const { keyRequest, id } = this.#bound.plan
    const file = join(this.#folder, 'key')
    let generateSeconds = 0
    let loadSeconds = 0
    let bytes = 0
    let count = 0
    let started = performance.now()
    for await (const key of this.#client.generateEvaluationKeys(this.#key, keyRequest as KeyRequest, { plan: id })) {
      generateSeconds += (performance.now() - started) / 1000
      await writeFile(file, key.bytes)
      loadSeconds += (await this.#server.ask({ do: 'key', file })).seconds
      bytes += key.bytes.length
      count++
      started = performance.now()
    }
    return { generateSeconds, loadSeconds, bytes, count }
  }

  /** Seconds to encode all weights anew. */
  async prepare(): Promise<number> {
    return (await this.#server.ask({ do: 'prepare' })).seconds
  }

  async infer(tensors: readonly Tensor[]): Promise<InferenceResult> {
    const { plan } = this.#bound
    const input = join(this.#folder, 'input')
    const output = join(this.#folder, 'output')
    const [file, encryptSeconds] = await timed(() => {
      const vectors = pack(tensors.length === 1 ? tensors[0]! : tensors, inputLayoutOf(plan))
      return this.#client.encrypt(
        this.#key,
        vectors.map((values) => ({ values })),
        { contract: contractOf(plan) },
      )
    })
    await writeFile(input, file)
    const { seconds, networkSeconds, eventLoopDelayMs } = await this.#server.ask({ do: 'run', input, output })
    const result = await readFile(output)
    const [decrypted, decryptSeconds] = await timed(() =>
      this.#client.decrypt(this.#key, result, { contract: contractOf(plan) }),
    )
    const logits = unpack(
      decrypted.map((r) => r.re),
      outputLayoutOf(plan),
      tensors.length,
    ).map((t) => t.data)
    return {
      logits,
      seconds,
      networkSeconds: networkSeconds!,
      eventLoopDelayMs: eventLoopDelayMs!,
      encryptSeconds,
      decryptSeconds,
    }
  }

  usage(): Promise<ServerReply> {
    return this.#server.ask({ do: 'usage' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
    this.#key.dispose()
    await this.#client.dispose()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now()
  const result = await work()
  return [result, (performance.now() - started) / 1000]
}
