/** Client and server of a bootstrapping circuit: the client here, the server in its own process, files between them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Bootstrapping,
  type BootstrappingSet,
  createBootstrapping,
  createPlanEngine,
  type KeyRequest,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { type WrittenKeys, writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeClient, type NativeClient } from '@he-ml/ckks-native/client'
import { WorkerProcess } from '../worker-process.ts'
import { type ComplexSlots, type SlotErrors, slotErrors } from './accuracy.ts'
import { reluOf } from './relu.ts'
import type { ServerReply, ServerRequest } from './server.worker.ts'

const KEYS = 'keys'

/** One bootstrap: the server's seconds, and how far the decrypted result is from what it should be. */
export interface BootstrapResult {
  readonly seconds: number
  readonly errors: SlotErrors
}

/** Several bootstraps in groups. */
export interface GroupedResult {
  /** Of all of them. */
  readonly seconds: number
  /** The same of all threads. */
  readonly processorSeconds: number
  /** Of the files of the results. */
  readonly digests: readonly string[]
}

/** The client: secret key, and a folder of evaluation keys that any number of servers can load. */
export class BootstrappingClient implements AsyncDisposable {
  readonly circuit: Bootstrapping
  readonly folder: string
  /** What is in the folder of keys. */
  readonly keys: WrittenKeys
  readonly keySeconds: number
  readonly #client: NativeClient
  readonly #key: SecretKey

  private constructor(
    circuit: Bootstrapping,
    folder: string,
    sides: { readonly client: NativeClient; readonly key: SecretKey },
    made: { readonly keys: WrittenKeys; readonly seconds: number },
  ) {
    this.circuit = circuit
    this.folder = folder
    this.#client = sides.client
    this.#key = sides.key
    this.keys = made.keys
    this.keySeconds = made.seconds
  }

  /** Makes the keys that the circuit asks for on the plan engine. */
  static async create(
    { parameters, spec }: BootstrappingSet,
    options: { readonly threads: number; readonly onKey?: (made: number, total: number) => void },
  ): Promise<BootstrappingClient> {
    const circuit = createBootstrapping(parameters, spec)
    const request = await keyRequest(circuit)
    const client = createNativeClient(parameters, { threads: options.threads })
    const key = await client.generateSecretKey()
    const folder = await mkdtemp(join(tmpdir(), 'he-ml-bench-'))
    const started = performance.now()
    const onProgress = options.onKey === undefined ? {} : { onProgress: options.onKey }
    const keys = await writeKeyFolder(client, key, request, join(folder, KEYS), onProgress)
    const seconds = (performance.now() - started) / 1000
    return new BootstrappingClient(circuit, folder, { client, key }, { keys, seconds })
  }

  get keyFolder(): string {
    return join(this.folder, KEYS)
  }

  async encrypt(values: ComplexSlots, level: number, name: string): Promise<string> {
    const file = join(this.folder, name)
    await writeFile(file, await this.#client.encrypt(this.#key, [{ values }], { level }))
    return file
  }

  /** Errors of the only ciphertext of a file. */
  async errors(file: string, wanted: ComplexSlots): Promise<SlotErrors> {
    const [got] = await this.#client.decrypt(this.#key, await readFile(file))
    return slotErrors(got!, wanted)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#key.dispose()
    await this.#client.dispose()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** A server with the client's keys, ready to bootstrap. */
export class BootstrappingServer implements AsyncDisposable {
  readonly #client: BootstrappingClient
  readonly #process = new WorkerProcess<ServerRequest, ServerReply>(
    fileURLToPath(new URL('./server.worker.ts', import.meta.url)),
  )

  private constructor(client: BootstrappingClient) {
    this.#client = client
  }

  static async start(
    client: BootstrappingClient,
    threads: number,
  ): Promise<{ server: BootstrappingServer; loadSeconds: number; prepareSeconds: number }> {
    const server = new BootstrappingServer(client)
    try {
      const { parameters, spec } = client.circuit
      await server.#process.ask({ do: 'open', parameters: parameters.toJSON(), spec, threads })
      const { seconds: loadSeconds } = await server.#process.ask({ do: 'keys', folder: client.keyFolder })
      const { seconds: prepareSeconds } = await server.#process.ask({ do: 'prepare' })
      return { server, loadSeconds, prepareSeconds }
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Encrypts values at the level a bootstrap starts from, bootstraps (to ReLU of them, if wanted), decrypts, compares. */
  async bootstrap(values: ComplexSlots, relu = false): Promise<BootstrapResult> {
    const input = await this.#client.encrypt(values, this.#client.circuit.inputLevel, 'input')
    const output = join(this.#client.folder, 'output')
    const { seconds } = await this.#process.ask({ do: 'bootstrap', input, output, relu })
    return { seconds, errors: await this.#client.errors(output, relu ? reluOf(values) : values) }
  }

  /** The same by two bootstraps, from one level above. */
  async iterated(values: ComplexSlots, gainBits: number): Promise<BootstrapResult> {
    const input = await this.#client.encrypt(values, this.#client.circuit.inputLevel + 1, 'input')
    const output = join(this.#client.folder, 'output')
    const { seconds } = await this.#process.ask({ do: 'iterated', input, output, gainBits })
    return { seconds, errors: await this.#client.errors(output, values) }
  }

  /** The last result again: its levels used up by products with encrypted ones, bootstrapped, compared. */
  async chain(values: ComplexSlots, ones: string): Promise<BootstrapResult> {
    const output = join(this.#client.folder, 'output')
    const { seconds } = await this.#process.ask({ do: 'chain', ones, output })
    return { seconds, errors: await this.#client.errors(output, values) }
  }

  /** Files of ciphertexts at the level a bootstrap starts from, so many at a time in lock step. */
  async group(inputs: readonly string[], together: number, output?: string): Promise<GroupedResult> {
    const request = { do: 'group', inputs, together, ...(output === undefined ? {} : { output }) } as const
    const { seconds, processorSeconds, digests } = await this.#process.ask(request)
    return { seconds, processorSeconds: processorSeconds!, digests: digests! }
  }

  /** The same one after another, decrypted and compared. */
  async grouped(
    values: readonly ComplexSlots[],
    inputs: readonly string[],
  ): Promise<{ readonly first: GroupedResult; readonly errors: SlotErrors[] }> {
    const output = join(this.#client.folder, 'grouped')
    const first = await this.group(inputs, 1, output)
    const errors: SlotErrors[] = []
    for (const [i, value] of values.entries()) errors.push(await this.#client.errors(`${output}-${i}`, value))
    return { first, errors }
  }

  usage(): Promise<ServerReply> {
    return this.#process.ask({ do: 'usage' })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]()
  }
}

/** What the circuit and the products of a chain need, learnt on the plan engine. */
async function keyRequest(circuit: Bootstrapping): Promise<KeyRequest> {
  const engine = createPlanEngine(circuit.parameters)
  const prepared = await circuit.prepare(engine)
  const fresh = prepared.bootstrap(engine, engine.input({ level: circuit.inputLevel, slots: circuit.spec.slots }))
  engine.relinearize(engine.square(fresh))
  return engine.report().keyRequest
}
