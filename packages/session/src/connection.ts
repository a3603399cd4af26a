/**
 * What a session needs of a transport: messages out, in order, and messages in. Sockets, workers and requests are thin adapters of
 * it, over `encodeMessage` and `MessageReader`.
 */
import { DisposedError, type OptionCheck, optionCheck } from '@he-ml/ckks-core'
import { encodeMessage, MessageReader } from './protocol/frames.ts'
import type { Message } from './protocol/messages.ts'

/** One end of a transport, of either side. */
export interface Connection {
  /** Resolves when the transport has room for more. @throws DisposedError after the end */
  send(message: Message): Promise<void>
  /** What the other side sends, until it closes; one reader. Iterating throws what broke the connection. */
  readonly messages: AsyncIterable<Message>
  /** Ends both directions: sending fails from now on, and `messages` ends. Twice is harmless. */
  close(): Promise<void>
}

/** What has the three of them. */
export const isConnection: OptionCheck = (value) => {
  const { send, messages, close } = (optionCheck.object(value) === undefined ? value : {}) as Partial<Connection>
  const isOne = typeof send === 'function' && typeof close === 'function' && optionCheck.object(messages) === undefined
  return isOne ? undefined : 'a connection, as streamConnection or loopback makes one'
}

/** Messages that the other side has sent and nobody has read yet, at most so many. */
const QUEUE = 4

class End {
  readonly #reader = new MessageReader()
  readonly #messages: Message[] = []
  readonly #waiting: (() => void)[] = []
  #closed = false

  get closed(): boolean {
    return this.#closed
  }
  get full(): boolean {
    return this.#messages.length >= QUEUE
  }
  receive(bytes: readonly Uint8Array[]): void {
    for (const part of bytes) this.#messages.push(...this.#reader.push(part))
    this.wake()
  }
  close(): void {
    this.#closed = true
    this.wake()
  }
  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
  async *read(): AsyncGenerator<Message> {
    for (;;) {
      const next = this.#messages.shift()
      this.wake()
      if (next) yield next
      else if (this.#closed) return
      else await this.changed()
    }
  }
}

function half(own: End, other: End): Connection {
  return {
    async send(message) {
      if (own.closed || other.closed) throw new DisposedError('the connection was closed')
      other.receive(encodeMessage(message).map((part) => part!.slice()))
      while (other.full && !other.closed) await other.changed()
    },
    messages: own.read(),
    async close() {
      own.close()
      other.close()
    },
  }
}

/**
 * Two connected ends in one process. Everything passes as bytes, as it would over a socket.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { loopback } from '@he-ml/session'
 *
 * const [ours, theirs] = loopback()
 * await ours.send({ header: { type: 'cancel', run: '0123456789abcdef' } })
 * await ours.close()
 * for await (const { header } of theirs.messages) assert.deepEqual(header, { type: 'cancel', run: '0123456789abcdef' })
 * ```
 */
export function loopback(): [Connection, Connection] {
  const [a, b] = [new End(), new End()]
  return [half(a, b), half(b, a)]
}
