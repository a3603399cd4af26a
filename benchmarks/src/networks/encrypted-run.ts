/** One network from plan to decrypted logits: the client here, the server in its own process, files between them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyRequest } from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { Tensor } from '@he-ml/model'
import type { BoundPlan } from '@he-ml/pipeline'
import { ClientSession } from '@he-ml/session/client'
import type { ServerLimits, ServerReply } from './server.worker.ts'
import { ServerProcess } from './server-process.ts'
import type { KeyCosts } from './server-rows.ts'

export interface InferenceResult {
  readonly logits: readonly Float64Array[]
  /** Server seconds, bytes to bytes. */
  readonly seconds: number
  /** Server seconds in the network itself. */
  readonly networkSeconds: number
  /** Of all threads of the server. */
  readonly processorSeconds: number
  /** Longest time the server's event loop did not turn. */
  readonly eventLoopDelayMs: number
  readonly encryptSeconds: number
  readonly decryptSeconds: number
}

export class EncryptedRun implements AsyncDisposable {
  readonly #client: ClientSession
  readonly #folder: string
  readonly #server: ServerProcess

  private constructor(client: ClientSession, folder: string) {
    this.#client = client
    this.#folder = folder
    this.#server = new ServerProcess()
  }

  /** Starts both sides with the plan; the model file is the one the plan was made for. */
  static async start(
    { plan, parameters }: BoundPlan,
    model: string,
    threads: number,
    limits: ServerLimits = {},
  ): Promise<EncryptedRun> {
    const client = await ClientSession.create(plan, createNativeClient(parameters, { threads }))
    const folder = await mkdtemp(join(tmpdir(), 'he-ml-bench-'))
    const run = new EncryptedRun(client, folder)
    const file = join(folder, 'plan.json')
    await writeFile(file, JSON.stringify(plan))
    await run.#server.ask({ do: 'open', plan: file, model, name: plan.model.name, threads, limits })
    return run
  }

  get #keys(): string {
    return join(this.#folder, 'keys')
  }

  /** Makes all evaluation keys, as a folder, and loads them into the server. */
  async loadKeys(): Promise<KeyCosts> {
    const { engine, secret, plan } = this.#client
    const request = plan.keyRequest as KeyRequest
    const [{ bytes, keys: count }, generateSeconds] = await timed(() =>
      writeKeyFolder(engine, secret, request, this.#keys, { plan: plan.id }),
    )
    const { seconds: loadSeconds } = await this.#server.ask({ do: 'keys', folder: this.#keys })
    return { generateSeconds, loadSeconds, bytes, count }
  }

  /** Seconds to encode all weights anew. */
  async prepare(): Promise<number> {
    return (await this.#server.ask({ do: 'prepare' })).seconds
  }

  /** @param trace a file that is to show what ran when */
  async infer(tensors: readonly Tensor[], trace?: string): Promise<InferenceResult> {
    const input = join(this.#folder, 'input')
    const output = join(this.#folder, 'output')
    const [file, encryptSeconds] = await timed(() => this.#client.encrypt(tensors))
    await writeFile(input, file)
    const { seconds, networkSeconds, processorSeconds, eventLoopDelayMs } = await this.#server.ask({
      do: 'run',
      input,
      output,
      ...(trace === undefined ? {} : { trace }),
    })
    const result = await readFile(output)
    const [decrypted, decryptSeconds] = await timed(() => this.#client.decrypt(result, tensors.length))
    return {
      logits: decrypted.map((t) => t.data),
      seconds,
      networkSeconds: networkSeconds!,
      processorSeconds: processorSeconds!,
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
    await this.#client.dispose()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now()
  const result = await work()
  return [result, (performance.now() - started) / 1000]
}
