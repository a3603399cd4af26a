/**
 * Client and server of one plan, on engines of either kind. They share nothing but files: the client holds the secret key, the server gets
 * evaluation keys and ciphertexts as bytes and gives bytes back.
 */
import type { KeyRequest } from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import type { Tensor } from '@he-ml/model'
import type { BoundPlan, RunProgress } from '@he-ml/pipeline'
import { ServerSession } from '@he-ml/session'
import { ClientSession } from '@he-ml/session/client'
import type { Engines } from './engines.ts'

export type Report = (fraction: number, detail?: string) => void

/** The owner of the data. */
export class Client implements AsyncDisposable {
  readonly #session: ClientSession

  private constructor(session: ClientSession) {
    this.#session = session
  }
  static async create({ plan, parameters }: BoundPlan, engines: Engines): Promise<Client> {
    return new Client(await ClientSession.create(plan, await engines.makeClient(parameters)))
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
  readonly #session: ServerSession

  private constructor(session: ServerSession) {
    this.#session = session
  }
  static async create(plan: BoundPlan, engines: Engines): Promise<Server> {
    return new Server(new ServerSession(plan, await engines.makeHost(plan.parameters)))
  }
  get peakBytes(): number {
    return this.#session.engine.memory().peak
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
