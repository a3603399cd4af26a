/**
 * A peer's program that prints one JSON line for each "go" it reads. After a line it is stopped until the next "go": threads that
 * wait by spinning (OpenMP's do, if that is faster for the peer) would take the cores from the other side's turn.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { UnsupportedError } from '@he-ml/ckks-core'

export class LineProcess<Line> implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface
  readonly #name: string

  constructor(program: string, args: readonly string[], name: string) {
    this.#name = name
    this.#process = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#process.on('error', () => this.#reader.close())
    this.#reader = createInterface({ input: this.#process.stdout })
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }
  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid
  }
  /** @throws UnsupportedError when the program ended instead */
  async next(): Promise<Line> {
    const { value, done } = await this.#lines.next()
    if (done) throw new UnsupportedError(`${this.#name} ended without an answer; what it said is above`)
    this.#process.kill('SIGSTOP')
    return JSON.parse(value) as Line
  }
  go(): Promise<Line> {
    this.#process.kill('SIGCONT')
    this.#process.stdin.write('go\n')
    return this.next()
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.on('error', () => undefined) // it may be gone
    this.#process.stdin.end()
    this.#process.kill('SIGCONT')
    if (this.#process.exitCode === null && this.#process.pid !== undefined)
      await new Promise((resolve) => this.#process.once('close', resolve))
  }
}
