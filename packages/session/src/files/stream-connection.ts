/** A connection over a stream of bytes: a socket of `node:net` or `node:tls`, or any other duplex stream. */
import type { Duplex } from 'node:stream'
import { DisposedError } from '@he-ml/ckks-core'
import type { Connection } from '../connection.ts'
import { encodeMessage, MessageReader } from '../protocol/frames.ts'
import type { Message } from '../protocol/messages.ts'

/** How long what was sent last may take to leave before the stream is torn down. */
const LAST_WORDS_MS = 2000

/**
 * Messages over a stream, which is the connection's from now on. Neither encrypted nor authenticated by itself: use TLS, or a socket that
 * nobody else can open.
 *
 * @example
 * ```ts no-run
 * import { connect } from 'node:net'
 * import { connectServer } from '@he-ml/session/client'
 * import { streamConnection } from '@he-ml/session/node'
 *
 * await using link = await connectServer(streamConnection(connect('/run/he-ml.sock')))
 * ```
 */
export function streamConnection(stream: Duplex): Connection {
  let closing: Promise<void> | undefined
  // a failure shows where messages are sent or read
  stream.on('error', () => {})
  return {
    async send(message) {
      if (closing || stream.destroyed || stream.writableEnded) throw new DisposedError('the connection was closed')
      await written(stream, message)
    },
    messages: read(stream, () => closing !== undefined),
    close() {
      closing ??= ended(stream)
      return closing
    },
  }
}

/** The parts of a message one behind the other, whoever else sends. Resolves when the stream has room for more. */
async function written(stream: Duplex, message: Message): Promise<void> {
  const parts = encodeMessage(message).filter((part) => part !== undefined)
  await Promise.all(
    parts.map(
      (part) =>
        new Promise<void>((resolve, reject) => stream.write(part, (error) => (error ? reject(error) : resolve()))),
    ),
  )
}

async function* read(stream: Duplex, closed: () => boolean): AsyncGenerator<Message> {
  const reader = new MessageReader()
  try {
    for await (const bytes of stream) yield* reader.push(bytes as Uint8Array)
    reader.end()
  } catch (error) {
    if (!closed()) throw error
  }
}

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
