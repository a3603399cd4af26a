/** Answers of the server that are still to come. They come in the order of the requests. */
import { FormatError } from '@he-ml/ckks-core'
import type { Message } from '../protocol/messages.ts'

export type ReplyType = 'welcome' | 'keysWanted' | 'keysReady'

/** One of them. */
export interface PendingReply {
  /** Rejects when the link ends before; harmless when nobody waits for it. */
  readonly message: Promise<Message>
  /** It will not come, for its request was not sent, or not to its end. */
  forget(): void
}

interface Waiting {
  readonly type: ReplyType
  readonly resolve: (message: Message) => void
  readonly reject: (error: Error) => void
}

/** See above. */
export class PendingReplies {
  #waiting: Waiting[] = []

  expect(type: ReplyType): PendingReply {
    let forget = (): void => {}
    const message = new Promise<Message>((resolve, reject) => {
      const waiting: Waiting = { type, resolve, reject }
      this.#waiting.push(waiting)
      forget = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting)
      }
    })
    // the request may fail first
    message.catch(() => {})
    return { message, forget }
  }

  /** @throws FormatError for an answer that nobody waits for */
  take(type: ReplyType, message: Message): void {
    if (this.#waiting[0]?.type !== type) throw new FormatError(`the server sends "${type}", which nobody waits for`)
    this.#waiting.shift()!.resolve(message)
  }

  end(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
