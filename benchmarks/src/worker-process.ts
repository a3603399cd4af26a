import { type ChildProcess, fork } from 'node:child_process'
import { HeMlError } from '@he-ml/ckks-core'

/** What every worker understands besides its own requests: end yourself. */
export interface CloseRequest {
  readonly do: 'close'
}

/** A TypeScript program in a process of its own that answers one message at a time. */
export class WorkerProcess<Request extends { readonly do: string }, Reply extends { readonly error?: string }>
  implements AsyncDisposable
{
  readonly #child: ChildProcess

  constructor(worker: string) {
    this.#child = fork(worker, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  }

  /** @throws HeMlError with what the worker said */
  ask(request: Request): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null) =>
        reject(
          new HeMlError('Benchmark', `the server process ended during "${request.do}": ${signal ?? `status ${code}`}`),
        )
      this.#child.once('exit', onExit)
      this.#child.once('message', (reply: Reply) => {
        this.#child.off('exit', onExit)
        if (reply.error === undefined) resolve(reply)
        else reject(new HeMlError('Benchmark', `the server failed at "${request.do}": ${reply.error}`))
      })
      this.#child.send(request, (error) => error && reject(error))
    })
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    if (this.#child.connected) this.#child.send({ do: 'close' } satisfies CloseRequest)
    await ended
  }
}

/** A worker's side: each request is answered, failures with their stack. */
export function answerRequests<Request, Reply extends { readonly seconds: number; readonly error?: string }>(
  answer: (request: Request) => Promise<Reply>,
): void {
  // a parent that is gone hears nothing: without a callback the failed write would throw
  const say = (reply: object): void => void process.send!(reply, undefined, undefined, () => undefined)
  process.on('message', (request: Request) => {
    answer(request).then(say, (error: unknown) =>
      say({ seconds: 0, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
}
