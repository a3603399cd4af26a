/**
 * A server at the other end of a connection, as its client uses it. Nothing of the server's is believed: its plan is read with all
 * checks, and must be the one that the client has, where it has one; results are judged when they are decrypted.
 */
import {
  CancelledError,
  DisposedError,
  FormatError,
  type HeMlError,
  type KeyFileEntry,
  ParameterMismatchError,
} from '@he-ml/ckks-core'
import type { KeyOffer } from '@he-ml/ckks-core/client'
import { type Plan, parsePlan } from '@he-ml/pipeline'
import type { Connection } from '../connection.ts'
import { errorOf } from '../protocol/errors.ts'
import { CHUNK_BYTES, type HeaderOf, type Message, PROTOCOL_VERSION } from '../protocol/messages.ts'

/** Where a run is, as the server tells. */
export type RemoteProgress = Omit<HeaderOf<'progress'>, 'type' | 'run'>

interface PendingRun {
  readonly resolve: (file: Uint8Array) => void
  readonly reject: (error: unknown) => void
  readonly onProgress: ((progress: RemoteProgress) => void) | undefined
  result?: { readonly bytes: Uint8Array; done: number }
}

interface PendingReply {
  readonly type: 'welcome' | 'keysWanted' | 'keysReady'
  readonly resolve: (message: Message) => void
  readonly reject: (error: unknown) => void
}

export interface LinkOptions {
  /** Content hash of the plan that the server must have; without it, its plan is taken as it is. */
  readonly plan?: string
  /** The largest result that can make sense; default 1 GiB. */
  readonly maxResultBytes?: number
}

/** See above; made by {@link connectServer}. */
export class ServerLink implements AsyncDisposable {
  readonly #connection: Connection
  readonly #maxResultBytes: number
  readonly #runs = new Map<string, PendingRun>()
  readonly #replies: PendingReply[] = []
  #ended: Error | undefined
  #welcome: HeaderOf<'welcome'> | undefined
  #plan: Plan | undefined

  /** @internal */
  constructor(connection: Connection, options: LinkOptions) {
    this.#connection = connection
    this.#maxResultBytes = options.maxResultBytes ?? 2 ** 30
    void this.#listen()
  }

  /** @internal */
  async greet(wanted: string | undefined): Promise<this> {
    const reply = this.#reply('welcome')
    await this.#connection.send({ header: { type: 'hello', protocol: PROTOCOL_VERSION } })
    const { header, payload } = await reply
    const plan = parsePlan(new TextDecoder('utf-8', { fatal: true }).decode(payload))
    const expected = wanted ?? plan.id
    if (plan.id !== expected || (header as HeaderOf<'welcome'>).plan !== plan.id)
      throw new ParameterMismatchError(
        `the server has plan ${plan.id}, expected ${expected}: take its plan, or another server`,
      )
    this.#welcome = header as HeaderOf<'welcome'>
    this.#plan = plan
    return this
  }

  /** The server's plan, checked. */
  get plan(): Plan {
    return this.#plan!
  }
  /** 'native' or 'seal'. */
  get engine(): string {
    return this.#welcome!.engine
  }

  /**
   * Sends the evaluation keys that the server wants of a set, one at a time. A set that lies in a folder (`offerKeyFolder`) is never
   * in memory as a whole.
   *
   * @throws FormatError for a file that is not of the size listed, or one that was not offered; what the server tells
   */
  async sendKeys(
    { keyId, entries, read }: KeyOffer,
    onProgress?: (sent: number, total: number) => void,
  ): Promise<void> {
    const byName = new Map(entries.map((entry) => [entry.file, entry]))
    const { plan, parameters } = this.#welcome!
    const reply = this.#reply('keysWanted')
    await this.#send({ header: { type: 'keySet', parameters, plan, keyId, keys: entries.filter(isEvaluationKey) } })
    const { files } = (await reply).header as HeaderOf<'keysWanted'>
    const ready = this.#reply('keysReady')
    // the first failure may be that of a chunk
    ready.catch(() => {})
    for (const [i, file] of files.entries()) {
      const entry = byName.get(file)
      if (!entry) throw new FormatError(`the server asks for "${file}", which was not offered`)
      const bytes = await read(entry)
      if (bytes.length !== entry.bytes)
        throw new FormatError(
          `"${file}" was listed with ${entry.bytes} bytes, got ${bytes.length}: offer the set again`,
        )
      for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES)
        await this.#send({
          header: { type: 'keyChunk', file, offset },
          payload: bytes.subarray(offset, offset + CHUNK_BYTES),
        })
      onProgress?.(i + 1, files.length)
    }
    await ready
  }

  /**
   * Runs the plan on a file of encrypted inputs; several may be at work at a time.
   * @throws what the server tells, in its class; CancelledError through the signal, also when the server never answers it
   */
  async run(
    file: Uint8Array,
    options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: RemoteProgress) => void } = {},
  ): Promise<Uint8Array> {
    const { signal, onProgress } = options
    if (signal?.aborted) throw new CancelledError('run: cancelled before it was sent', { cause: signal.reason })
    if (this.#ended) throw this.#ended
    const run = hex(crypto.getRandomValues(new Uint8Array(8)))
    const result = new Promise<Uint8Array>((resolve, reject) => this.#runs.set(run, { resolve, reject, onProgress }))
    result.catch(() => {})
    const abort = (): void => {
      this.#runs.get(run)?.reject(new CancelledError('run: cancelled', { cause: signal?.reason }))
      this.#send({ header: { type: 'cancel', run } }).catch(() => {})
    }
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await this.#send({ header: { type: 'run', run, bytes: file.length } })
      for (let offset = 0; offset < file.length && !signal?.aborted; offset += CHUNK_BYTES)
        await this.#send({
          header: { type: 'inputChunk', run, offset },
          payload: file.subarray(offset, offset + CHUNK_BYTES),
        })
      return await result
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#runs.delete(run)
    }
  }

  /** Ends the connection; what is at work on it fails with DisposedError. */
  async dispose(): Promise<void> {
    this.#end(new DisposedError('the link to the server was disposed of'))
    await this.#connection.close()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  async #send(message: Message): Promise<void> {
    if (this.#ended) throw this.#ended
    await this.#connection.send(message)
  }

  async #reply(type: PendingReply['type']): Promise<Message> {
    if (this.#ended) throw this.#ended
    return new Promise((resolve, reject) => this.#replies.push({ type, resolve, reject }))
  }

  async #listen(): Promise<void> {
    try {
      for await (const message of this.#connection.messages) this.#take(message)
      this.#end(new DisposedError('the server closed the connection'))
    } catch (error) {
      this.#end(error as Error)
      await this.#connection.close()
    }
  }

  #take(message: Message): void {
    const { header, payload } = message
    switch (header.type) {
      case 'welcome':
      case 'keysWanted':
      case 'keysReady': {
        const reply = this.#replies.shift()
        if (reply?.type !== header.type)
          throw new FormatError(`the server sends "${header.type}", which nobody waits for`)
        reply.resolve(message)
        return
      }
      case 'progress': {
        const { type: _, run, ...progress } = header
        this.#runs.get(run)?.onProgress?.(progress)
        return
      }
      case 'result': {
        const run = this.#runs.get(header.run)
        if (header.bytes > this.#maxResultBytes)
          throw new FormatError(
            `the server announces a result of ${header.bytes} bytes, at most ${this.#maxResultBytes} make sense`,
          )
        if (run) run.result = { bytes: new Uint8Array(header.bytes), done: 0 }
        return
      }
      case 'resultChunk':
        this.#resultChunk(header, payload!)
        return
      case 'error':
        this.#error(header)
        return
      default:
        throw new FormatError(`a server does not send "${header.type}"`)
    }
  }

  #resultChunk({ run, offset }: HeaderOf<'resultChunk'>, payload: Uint8Array): void {
    const pending = this.#runs.get(run)
    // cancelled here, and the server did not know yet
    if (!pending) return
    const { result } = pending
    if (!result || offset !== result.done || offset + payload.length > result.bytes.length)
      throw new FormatError(`resultChunk: ${payload.length} bytes from ${offset} do not follow what came before`)
    result.bytes.set(payload, offset)
    result.done += payload.length
    if (result.done === result.bytes.length) pending.resolve(result.bytes)
  }

  #error(header: HeaderOf<'error'>): void {
    const error: HeMlError = errorOf(header)
    if (header.run === undefined) throw error
    this.#runs.get(header.run)?.reject(error)
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const { reject } of this.#runs.values()) reject(this.#ended)
    for (const { reject } of this.#replies.splice(0)) reject(this.#ended)
  }
}

const isEvaluationKey = (entry: KeyFileEntry): entry is HeaderOf<'keySet'>['keys'][number] => entry.kind !== 'publicKey'
const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/**
 * Greets the server at the other end.
 *
 * @throws FormatError for anything but a server of this protocol's version; ParameterMismatchError for another plan
 */
export async function connectServer(connection: Connection, options: LinkOptions = {}): Promise<ServerLink> {
  const link = new ServerLink(connection, options)
  try {
    return await link.greet(options.plan)
  } catch (error) {
    await link.dispose()
    throw error
  }
}
