/**
 * Answers one client over a connection: the plan, the keys, runs, progress, results. Messages are taken one after another; runs go on
 * beside them, so that several can be at work and be cancelled. A message that makes no sense ends the connection, with the reason; a
 * run that fails tells so, and the others go on.
 */
import {
  CancelledError,
  checkArgument,
  checkOptions,
  FormatError,
  InvalidArgumentError,
  type KeySource,
  type OptionChecks,
  optionCheck,
} from '@he-ml/ckks-core'
import { type Connection, isConnection } from '../connection.ts'
import { errorHeader } from '../protocol/errors.ts'
import { CHUNK_BYTES, type HeaderOf, type Message, PROTOCOL_VERSION } from '../protocol/messages.ts'
import { type KeyDepot, KeyReceiver, memoryDepot } from './key-receiver.ts'
import { ServerSession } from './server-session.ts'

/** Options of {@link answer}. */
export interface AnswerOptions {
  /** Where keys that the client sends are kept; default in memory. */
  readonly depot?: () => KeyDepot
  /** Whether the client may send keys, in place of those that are open; default true. A server for several clients that share its keys says false. */
  readonly acceptKeys?: boolean
  /** Runs of one connection at work at a time; default 4. More are refused. */
  readonly maxRuns?: number
  /** Told of every error that the client is told of, whole. */
  readonly onError?: (error: unknown) => void
}

const OPTIONS: OptionChecks<AnswerOptions> = {
  depot: optionCheck.callable,
  acceptKeys: optionCheck.boolean,
  maxRuns: optionCheck.integer(1),
  onError: optionCheck.callable,
}

interface Run {
  readonly stop: AbortController
  /** Until the whole input is there. */
  input?: { readonly bytes: Uint8Array; done: number }
  work?: Promise<void>
}

/**
 * Resolves when the connection has ended and nothing of it is at work any more.
 * @throws InvalidArgumentError for options that there are not
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { once } from 'node:events'
 * import { connect, createServer } from 'node:net'
 * import { createNativeEngine, nativeHost } from '@he-ml/ckks-native'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compileAndBind } from '@he-ml/pipeline'
 * import { answer, ServerSession } from '@he-ml/session'
 * import { connectServer } from '@he-ml/session/client'
 * import { streamConnection } from '@he-ml/session/node'
 *
 * const layer = linear({ name: 'sum', weights: createTensor([1, 4], Float64Array.of(1, 2, 3, 4)) })
 * const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
 * const bound = await compileAndBind(model)
 * await using session = new ServerSession(bound, nativeHost(createNativeEngine(bound.parameters)))
 * const server = createServer((socket) => void answer(session, streamConnection(socket)))
 * await once(server.listen(0, '127.0.0.1'), 'listening')
 *
 * // the other side, elsewhere
 * const { port } = server.address() as { port: number }
 * const link = await connectServer(streamConnection(connect(port, '127.0.0.1')))
 * assert.equal(link.plan.id, bound.plan.id)
 * await link.dispose()
 * server.close()
 * ```
 */
export async function answer(
  session: ServerSession,
  connection: Connection,
  options: AnswerOptions = {},
): Promise<void> {
  checkArgument('answer', 'session', session, (value) =>
    value instanceof ServerSession ? undefined : 'a ServerSession; of an InferenceServer the field session',
  )
  checkArgument('answer', 'connection', connection, isConnection)
  checkOptions('answer', options, OPTIONS)
  await new Answers(session, connection, options).all()
}

class Answers {
  readonly #session: ServerSession
  readonly #connection: Connection
  readonly #options: AnswerOptions
  readonly #runs = new Map<string, Run>()
  #keys: KeyReceiver | undefined
  #greeted = false

  constructor(session: ServerSession, connection: Connection, options: AnswerOptions) {
    this.#session = session
    this.#connection = connection
    this.#options = options
  }

  async all(): Promise<void> {
    try {
      for await (const message of this.#connection.messages) await this.#take(message)
    } catch (error) {
      // first: a client that reads nothing takes no message either
      this.#abortRuns()
      await this.#tell(error)
    } finally {
      this.#abortRuns()
      await Promise.all([...this.#runs.values()].map(({ work }) => work))
      await this.#connection.close()
    }
  }

  #abortRuns(): void {
    for (const { stop } of this.#runs.values()) stop.abort()
  }

  async #take({ header, payload }: Message): Promise<void> {
    if (!this.#greeted && header.type !== 'hello') throw new FormatError(`expected "hello" first, got "${header.type}"`)
    switch (header.type) {
      case 'hello':
        return this.#welcome()
      case 'keySet':
        return this.#keySet(header)
      case 'keyChunk':
        return this.#keyChunk(header, payload!)
      case 'run':
        return this.#open(header)
      case 'inputChunk':
        return this.#inputChunk(header, payload!)
      case 'cancel':
        return this.#cancel(header.run)
      default:
        throw new FormatError(`a client does not send "${header.type}"`)
    }
  }

  async #welcome(): Promise<void> {
    const { plan, parameters } = this.#session.bound
    const { keyId, engine } = this.#session
    this.#greeted = true
    await this.#connection.send({
      header: {
        type: 'welcome',
        protocol: PROTOCOL_VERSION,
        engine: engine.name,
        parameters: parameters.id,
        plan: plan.id,
        ...(keyId === undefined ? {} : { keyId }),
      },
      payload: new TextEncoder().encode(JSON.stringify(plan)),
    })
  }

  async #keySet(header: HeaderOf<'keySet'>): Promise<void> {
    if (this.#options.acceptKeys === false)
      throw new InvalidArgumentError(
        'keySet: this server has its keys and takes no others: make them with its plan and start one with them',
      )
    if (this.#runs.size > 0) throw new InvalidArgumentError('keySet: runs are at work: await or cancel them first')
    // others' too: before the client sends gigabytes for nothing
    this.#session.assertIdle('keySet')
    this.#keys = new KeyReceiver(this.#session, header, (this.#options.depot ?? memoryDepot)())
    await this.#connection.send({ header: { type: 'keysWanted', files: this.#keys.wanted } })
    const source = await this.#keys.finished()
    if (source) await this.#useKeys(source, header.keyId)
  }

  async #keyChunk(header: HeaderOf<'keyChunk'>, payload: Uint8Array): Promise<void> {
    if (!this.#keys) throw new FormatError('keyChunk: there is no key set that it belongs to')
    const source = await this.#keys.take(header, payload)
    if (source) await this.#useKeys(source, this.#keys.keyId)
  }

  async #useKeys(source: KeySource, keyId: string): Promise<void> {
    this.#keys = undefined
    await this.#session.openKeys(source)
    // every residue is checked before the client hears that they are ready
    await this.#session.loadKeys()
    await this.#connection.send({ header: { type: 'keysReady', keyId } })
  }

  async #open({ run, bytes }: HeaderOf<'run'>): Promise<void> {
    const { maxRuns = 4 } = this.#options
    try {
      if (this.#runs.has(run)) throw new InvalidArgumentError(`run ${run}: is at work already`)
      this.#session.assertReady(`run ${run}`)
      if (this.#runs.size >= maxRuns)
        throw new InvalidArgumentError(`run ${run}: ${maxRuns} runs are at work, no more at a time: await one of them`)
      if (bytes > this.#session.maxInputBytes)
        throw new FormatError(`run ${run}: inputs have at most ${this.#session.maxInputBytes} bytes, got ${bytes}`)
    } catch (error) {
      return this.#tell(error, run)
    }
    this.#runs.set(run, { stop: new AbortController(), input: { bytes: new Uint8Array(bytes), done: 0 } })
  }

  async #inputChunk({ run, offset }: HeaderOf<'inputChunk'>, payload: Uint8Array): Promise<void> {
    const entry = this.#runs.get(run)
    // refused or cancelled, and the client does not know yet
    if (!entry) return
    const { input } = entry
    if (!input || offset !== input.done || offset + payload.length > input.bytes.length || payload.length === 0)
      throw new FormatError(
        `inputChunk: run ${run}: ${payload.length} bytes from ${offset} do not follow what came before`,
      )
    input.bytes.set(payload, offset)
    input.done += payload.length
    if (input.done < input.bytes.length) return
    delete entry.input
    entry.work = this.#work(run, entry, input.bytes)
  }

  /** A run that has just ended is no mistake of the client's. */
  async #cancel(run: string): Promise<void> {
    const entry = this.#runs.get(run)
    entry?.stop.abort()
    if (!entry?.input) return
    this.#runs.delete(run)
    await this.#tell(new CancelledError(`run ${run}: cancelled before its input was there`), run)
  }

  async #work(run: string, { stop }: Run, file: Uint8Array): Promise<void> {
    const { signal } = stop
    try {
      const { file: result } = await this.#session.run(file, {
        signal,
        onProgress: ({ fraction, layer, layerIndex, layerCount, elapsedSeconds, remainingSeconds }) => {
          const where = { fraction, layer: layer.slice(0, 1024), layerIndex, layerCount, elapsedSeconds }
          const left = remainingSeconds === undefined ? {} : { remainingSeconds }
          this.#connection.send({ header: { type: 'progress', run, ...where, ...left } }).catch(() => {})
        },
      })
      await this.#connection.send({ header: { type: 'result', run, bytes: result.length } })
      for (let offset = 0; offset < result.length; offset += CHUNK_BYTES) {
        if (signal.aborted) throw new CancelledError('the run was cancelled')
        const payload = result.subarray(offset, offset + CHUNK_BYTES)
        await this.#connection.send({ header: { type: 'resultChunk', run, offset }, payload })
      }
    } catch (error) {
      await this.#tell(error, run)
    } finally {
      this.#runs.delete(run)
    }
  }

  async #tell(error: unknown, run?: string): Promise<void> {
    this.#options.onError?.(error)
    // nobody may be listening any more
    await this.#connection.send({ header: errorHeader(error, run) }).catch(() => {})
  }
}
