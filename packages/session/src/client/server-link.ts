/**
 * A server at the other end of a connection, as its client uses it. Nothing of the server's is believed: its plan is read with all
 * checks, and must be the one that the client has, where it has one; results are judged when they are decrypted.
 *
 * A request that fails on the client's side (a message that is none, keys that cannot be read, a callback that throws) leaves the link
 * usable: nothing of it was sent, or the server forgets what was begun when the next request comes. A transport that fails to send, and
 * a server that says what makes no sense, end the link: everything at work fails with the reason, and so does everything later.
 */
import {
  CancelledError,
  checkArgument,
  checkOptions,
  DisposedError,
  type EvaluationKeyEntry,
  FormatError,
  type HeMlError,
  InvalidArgumentError,
  type KeyFileEntry,
  type OptionChecks,
  optionCheck,
  toHex,
  untilAborted,
} from '@he-ml/ckks-core'
import type { KeyOffer } from '@he-ml/ckks-core/client'
import type { Plan } from '@he-ml/pipeline'
import { type Connection, isConnection } from '../connection.ts'
import { errorOf } from '../protocol/errors.ts'
import { encodeMessage } from '../protocol/frames.ts'
import { CHUNK_BYTES, type HeaderOf, type Message, PROTOCOL_VERSION } from '../protocol/messages.ts'
import { PendingReplies } from './pending-replies.ts'
import { planOf } from './plan-of-welcome.ts'

/** Where a run is, as the server tells. */
export type RemoteProgress = Omit<HeaderOf<'progress'>, 'type' | 'run'>

interface PendingRun {
  readonly resolve: (file: Uint8Array) => void
  readonly reject: (error: unknown) => void
  readonly onProgress: ((progress: RemoteProgress) => void) | undefined
  result?: { readonly bytes: Uint8Array; done: number }
}
/** Options of {@link connectServer}. */

export interface LinkOptions {
  /** Content hash of the plan that the server must have; without it, its plan is taken as it is. */
  readonly plan?: string
  /** The largest result that can make sense; default 1 GiB. */
  readonly maxResultBytes?: number
  /** Ends the waiting for the server's greeting, as `AbortSignal.timeout(10_000)` does; default: it is waited for. */
  readonly signal?: AbortSignal
}

const OPTIONS: OptionChecks<LinkOptions> = {
  plan: optionCheck.string,
  maxResultBytes: optionCheck.number(1),
  signal: optionCheck.signal,
}

/** See above; made by {@link connectServer}. */
export class ServerLink implements AsyncDisposable {
  readonly #connection: Connection
  readonly #maxResultBytes: number
  readonly #runs = new Map<string, PendingRun>()
  readonly #replies = new PendingReplies()
  readonly #listening: Promise<void>
  #sendsKeys = false
  #ended: Error | undefined
  /** Of the transport, while it is heard to its end. */
  #failure: Error | undefined
  #welcome: HeaderOf<'welcome'> | undefined
  #plan: Plan | undefined

  /** @internal */
  constructor(connection: Connection, options: LinkOptions) {
    this.#connection = connection
    this.#maxResultBytes = options.maxResultBytes ?? 2 ** 30
    this.#listening = this.#listen()
  }

  /** @internal */
  async greet({ plan: wanted, signal }: LinkOptions): Promise<this> {
    const reply = this.#replies.expect('welcome')
    const greeting = this.#send({ header: { type: 'hello', protocol: PROTOCOL_VERSION } }).then(() => reply.message)
    const { header, payload } = await untilAborted(greeting, signal, 'connectServer')
    this.#welcome = header as HeaderOf<'welcome'>
    this.#plan = planOf(this.#welcome, payload!, wanted)
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
   * in memory as a whole. After a failure on this side the same set, or another, may be sent on the same link, from its start.
   *
   * @throws FormatError for an entry that cannot be listed, a file that is not of the size listed, or one that was not offered;
   *   InvalidArgumentError while another set is being sent; what `read` and `onProgress` throw; what the server tells, which ends the
   *   link; DisposedError after its end
   */
  async sendKeys(offer: KeyOffer, onProgress?: (sent: number, total: number) => void): Promise<void> {
    if (this.#ended) throw this.#ended
    if (this.#sendsKeys) throw new InvalidArgumentError('sendKeys: another key set is being sent: await it first')
    this.#sendsKeys = true
    try {
      await this.#sendKeys(offer, onProgress)
    } finally {
      this.#sendsKeys = false
    }
  }

  async #sendKeys(
    { keyId, entries, read }: KeyOffer,
    onProgress?: (sent: number, total: number) => void,
  ): Promise<void> {
    const keys = entries.filter(isEvaluationKey)
    const { plan, parameters } = this.#welcome!
    const wanted = this.#replies.expect('keysWanted')
    const ready = this.#replies.expect('keysReady')
    try {
      await this.#send({ header: { type: 'keySet', parameters, plan, keyId, keys } })
    } catch (error) {
      wanted.forget()
      ready.forget()
      throw error
    }
    const { files } = (await wanted.message).header as HeaderOf<'keysWanted'>
    // without all of the files the server never says that they are ready, unless it wants none
    let complete = files.length === 0
    try {
      const asked = pick(keys, files)
      for (const [i, entry] of asked.entries()) {
        const bytes = await readKey(read, entry)
        complete = i === asked.length - 1
        await this.#sendKey(entry.file, bytes)
        onProgress?.(i + 1, asked.length)
      }
    } catch (error) {
      if (!complete) ready.forget()
      throw error
    }
    const { header } = await ready.message
    if ((header as HeaderOf<'keysReady'>).keyId === keyId) return
    const foreign = `sendKeys: the server has the keys of ${(header as HeaderOf<'keysReady'>).keyId} now, sent were those of ${keyId}`
    this.#end(new FormatError(foreign))
    await this.#connection.close().catch(() => {})
    throw this.#ended
  }

  async #sendKey(file: string, bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES)
      await this.#send({
        header: { type: 'keyChunk', file, offset },
        payload: bytes.subarray(offset, offset + CHUNK_BYTES),
      })
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
    const run = toHex(crypto.getRandomValues(new Uint8Array(8)))
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

  /** @throws FormatError for what is no message, with nothing sent; else what ended the link */
  async #send(message: Message): Promise<void> {
    if (this.#ended) throw this.#ended
    encodeMessage(message)
    try {
      await this.#connection.send(message)
    } catch (error) {
      throw await this.#sendingFailed(error as Error)
    }
  }

  /** Ends the link. @returns the reason: the server's last word, where it still had one for us */
  async #sendingFailed(error: Error): Promise<Error> {
    this.#failure ??= error
    await this.#connection.close().catch(() => {})
    await this.#listening
    return this.#ended!
  }

  /** Never rejects. */
  async #listen(): Promise<void> {
    try {
      for await (const message of this.#connection.messages) this.#take(message)
      this.#end(this.#failure ?? new DisposedError('the server closed the connection'))
    } catch (error) {
      this.#end(error as Error)
      await this.#connection.close().catch(() => {})
    }
  }

  #take(message: Message): void {
    const { header, payload } = message
    switch (header.type) {
      case 'welcome':
      case 'keysWanted':
      case 'keysReady':
        this.#replies.take(header.type, message)
        return
      case 'progress':
        this.#progress(header)
        return
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

  /** A callback that throws fails its run, and nothing else. */
  #progress({ type: _, run, ...progress }: HeaderOf<'progress'>): void {
    try {
      this.#runs.get(run)?.onProgress?.(progress)
    } catch (error) {
      this.#runs.get(run)?.reject(error)
      this.#send({ header: { type: 'cancel', run } }).catch(() => {})
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
    this.#replies.end(this.#ended)
  }
}

const isEvaluationKey = (entry: KeyFileEntry): entry is EvaluationKeyEntry => entry.kind !== 'publicKey'

/** The entries that the server asks for. @throws FormatError for what was not offered, and for the same twice */
function pick(entries: readonly KeyFileEntry[], files: readonly string[]): KeyFileEntry[] {
  const left = new Map(entries.map((entry) => [entry.file, entry]))
  return files.map((file) => {
    const entry = left.get(file)
    if (!entry) throw new FormatError(`the server asks for "${file}", which was not offered, or not twice`)
    left.delete(file)
    return entry
  })
}

/** @throws FormatError for another size than the one listed */
async function readKey(read: KeyOffer['read'], entry: KeyFileEntry): Promise<Uint8Array> {
  const bytes = await read(entry)
  if (bytes.length === entry.bytes) return bytes
  throw new FormatError(
    `"${entry.file}" was listed with ${entry.bytes} bytes, got ${bytes.length}: offer the set again`,
  )
}

/**
 * Greets the server at the other end.
 *
 * @throws FormatError for anything but a server of this protocol's version; ParameterMismatchError for another plan; DisposedError for a
 *   connection that was closed; CancelledError through the signal. The connection is closed then
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createNativeEngine, nativeHost } from '@he-ml/ckks-native'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compileAndBind } from '@he-ml/pipeline'
 * import { answer, loopback, ServerSession } from '@he-ml/session'
 * import { connectServer } from '@he-ml/session/client'
 *
 * const layer = linear({ name: 'sum', weights: createTensor([1, 4], Float64Array.of(1, 2, 3, 4)) })
 * const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
 * const bound = await compileAndBind(model)
 * await using server = new ServerSession(bound, nativeHost(createNativeEngine(bound.parameters)))
 * const [theirs, ours] = loopback()
 * const answering = answer(server, theirs)
 * const link = await connectServer(ours, { plan: bound.plan.id })
 * assert.equal(link.plan.id, bound.plan.id)
 * // link.sendKeys and link.run go on, with what a ClientSession makes
 * await link.dispose()
 * await answering
 * ```
 */
export async function connectServer(connection: Connection, options: LinkOptions = {}): Promise<ServerLink> {
  checkArgument('connectServer', 'connection', connection, isConnection)
  try {
    checkOptions('connectServer', options, OPTIONS)
  } catch (error) {
    await connection.close().catch(() => {})
    throw error
  }
  const { signal } = options
  const link = new ServerLink(connection, options)
  try {
    if (signal?.aborted) throw new CancelledError('connectServer: cancelled', { cause: signal.reason })
    return await link.greet(options)
  } catch (error) {
    // a connection that does not close keeps nobody who has given up, and its failure is not the reason
    await untilAborted(link.dispose(), signal, 'connectServer').catch(() => {})
    throw error
  }
}
