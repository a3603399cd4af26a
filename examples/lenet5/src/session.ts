/**
 * Client and server of one plan, on the native engine. They share nothing but files: the client holds the secret key, the server gets
 * evaluation keys and ciphertexts as bytes and gives bytes back.
 */
import type { KeyRequest } from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeEngine, type NativeEngine, nativeHost } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { Tensor } from '@he-ml/model'
import type { BoundPlan, RunProgress } from '@he-ml/pipeline'
import { ServerSession } from '@he-ml/session'
import { ClientSession } from '@he-ml/session/client'

export type Report = (fraction: number, detail?: string) => void

/** The owner of the data. */
export class Client implements AsyncDisposable {
  readonly #session: ClientSession

  private constructor(session: ClientSession) {
    this.#session = session
  }
  static async create({ plan, parameters }: BoundPlan, threads: number): Promise<Client> {
    return new Client(await ClientSession.create(plan, createNativeClient(parameters, { threads })))
  }
  /** Evaluation keys for the server, as a folder. */
  async writeKeys(folder: string, report: Report): Promise<void> {
    const { engine, secret, plan } = this.#session
    await writeKeyFolder(engine, secret, plan.keyRequest as KeyRequest, folder, {
      plan: plan.id,
      onProgress: (made, total) => report(made / total, `${made} of ${total} keys`),
    })
  }
  encrypt(tensors: readonly Tensor[]): Promise<Uint8Array> {
    return this.#session.encrypt(tensors)
  }
  decrypt(file: Uint8Array, images: number): Promise<Tensor[]> {
    return this.#session.decrypt(file, images)
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.dispose()
  }
}

/** Whoever has the machine; never sees a secret key. */
export class Server implements AsyncDisposable {
  readonly engine: NativeEngine
  readonly #session: ServerSession

  constructor(plan: BoundPlan, threads: number) {
    this.engine = createNativeEngine(plan.parameters, { threads })
    this.#session = new ServerSession(plan, nativeHost(this.engine))
  }
  /** The keys of a folder; layers load what they need. */
  async openKeys(path: string): Promise<void> {
    await this.#session.openKeys({ kind: 'folder', path })
  }
  /** Encodes the weights once, for all inputs to come. */
  prepare(report: Report): Promise<void> {
    return this.#session.prepare({ onProgress: ({ fraction, layer }) => report(fraction, layer) })
  }
  /** Encrypted in, encrypted out. */
  run(
    file: Uint8Array,
    onProgress: (progress: RunProgress) => void,
  ): Promise<{ readonly file: Uint8Array; readonly seconds: number }> {
    return this.#session.run(file, { onProgress })
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.dispose()
  }
}
