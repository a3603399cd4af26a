/** A connection over a stream of bytes: a socket of `node:net` or `node:tls`, or any other duplex stream. */
import type { Duplex } from 'node:stream'
import { checkArgument, DisposedError, HeMlError, type OptionCheck, optionCheck } from '@he-ml/ckks-core'
import type { Connection } from '../connection.ts'
import { encodeMessage, MessageReader } from '../protocol/frames.ts'
import type { Message } from '../protocol/messages.ts'

/** How long what was sent last may take to leave before the stream is torn down. */
const LAST_WORDS_MS = 2000

/**
 * Messages over a stream, which is the connection's from now on. Neither encrypted nor authenticated by itself: use TLS, or a socket that
 * nobody else can open. What ends the stream early, within a message or between two, is a DisposedError where messages are sent or read.
 *
 * @example
 * Not run: it takes a server that listens; see `answer` for both sides.
 * ```ts no-run
 * import { connect } from 'node:net'
 * import { connectServer } from '@he-ml/session/client'
 * import { streamConnection } from '@he-ml/session/node'
 *
 * await using link = await connectServer(streamConnection(connect('/run/he-ml.sock')))
 * ```
 */
export function streamConnection(stream: Duplex): Connection {
  checkArgument('streamConnection', 'stream', stream, isDuplex)
  let closing: Promise<void> | undefined
  // a failure shows where messages are sent or read
  stream.on('error', () => {})
  const writer = new Writer(stream)
  return {
    async send(message) {
      if (closing || stream.destroyed || stream.writableEnded) throw new DisposedError('the connection was closed')
      await writer.write(message)
    },
    messages: read(stream, () => closing !== undefined),
    close() {
      closing ??= ended(stream)
      return closing
    },
  }
}

/** Writes messages whole. Streams need not call back what they were at when they were torn down: whoever waits then is told. */
class Writer {
  readonly #stream: Duplex
  readonly #waiting = new Set<(error: Error) => void>()

  constructor(stream: Duplex) {
    this.#stream = stream
    stream.once('close', () => {
      const error = brokenOff(stream.errored ?? new Error('the stream was torn down'))
      for (const reject of this.#waiting) reject(error)
    })
  }

  /** The parts of a message one behind the other, whoever else sends. Resolves when the stream has room for more. */
  async write(message: Message): Promise<void> {
    const parts = encodeMessage(message).filter((part) => part !== undefined)
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add(reject)
      const done = (error?: Error | null): void => {
        this.#waiting.delete(reject)
        if (error) reject(brokenOff(error))
        else resolve()
      }
      for (const [i, part] of parts.entries())
        this.#stream.write(part, (error) => {
          if (error || i === parts.length - 1) done(error)
        })
    })
  }
}

async function* read(stream: Duplex, closed: () => boolean): AsyncGenerator<Message> {
  const reader = new MessageReader()
  // whoever stops reading may still have something to say: the stream ends by `close` alone
  const parts: AsyncIterable<Uint8Array> = stream.iterator({ destroyOnReturn: false })
  try {
    for await (const bytes of parts) yield* reader.push(bytes)
  } catch (cause) {
    if (closed()) return
    if (cause instanceof HeMlError) throw cause
    throw brokenOff(cause)
  }
  try {
    reader.end()
  } catch (cause) {
    if (!closed()) throw brokenOff(cause)
  }
}

const brokenOff = (cause: unknown): DisposedError =>
  new DisposedError(`the connection broke off: ${(cause as Error).message}`, { cause })

function ended(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => stream.destroy(), LAST_WORDS_MS)
    stream.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    if (stream.destroyed) {
      clearTimeout(timer)
      resolve()
    } else stream.end(() => stream.destroy())
  })
}

const isDuplex: OptionCheck = (value) => {
  const { on, write } = (optionCheck.object(value) === undefined ? value : {}) as Partial<Duplex>
  return typeof on === 'function' && typeof write === 'function' ? undefined : 'a stream of two directions, as a socket'
}
