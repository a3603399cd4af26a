import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { HeMlError } from '@he-ml/ckks-core'
import type { ServerReply, ServerRequest } from './server.worker.ts'

/** The server's process: one request at a time. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./server.worker.ts', import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })

  /** @throws HeMlError with what the server said */
  ask(request: ServerRequest): Promise<ServerReply> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null) =>
        reject(
          new HeMlError('Benchmark', `the server process ended during "${request.do}": ${signal ?? `status ${code}`}`),
        )
      this.#child.once('exit', onExit)
      this.#child.once('message', (reply: ServerReply) => {
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
    if (this.#child.connected) this.#child.send({ do: 'close' } satisfies ServerRequest)
    await ended
  }
}
