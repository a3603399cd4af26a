import { CancelledError } from '../errors/errors.ts'

const SLICE_MS = 10

/** Lets long preparation share the event loop: `await pacer.pause()` yields when about 10 ms have passed. */
export class Pacer {
  readonly #signal: AbortSignal | undefined
  readonly #what: string
  #started = performance.now()

  /** @param what the work, for the error's message */
  constructor(what: string, signal?: AbortSignal) {
    this.#what = what
    this.#signal = signal
  }

  /** @throws CancelledError once the signal is aborted */
  async pause(): Promise<void> {
    if (performance.now() - this.#started >= SLICE_MS) {
      await new Promise<void>((resolve) => {
        if (typeof setImmediate === 'function') setImmediate(resolve)
        else setTimeout(resolve)
      })
      this.#started = performance.now()
    }
    if (this.#signal?.aborted)
      throw new CancelledError(`${this.#what}: cancelled by its signal`, { cause: this.#signal.reason })
  }
}
