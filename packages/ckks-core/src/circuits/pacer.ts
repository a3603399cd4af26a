/** Long loops on the main thread stop every few milliseconds, so that the event loop is never blocked. */
import { CancelledError } from '../errors/errors.ts'

/** How a long loop behaves towards the rest of the process. */
export interface PaceOptions {
  /** Stops the loop at the next pause with CancelledError. */
  readonly signal?: AbortSignal
  /**
   * Awaited at each pause; default: let the event loop turn once. A caller may also wait here for the engine's queue, or for
   * memory, to shrink.
   */
  readonly pause?: () => Promise<void> | void
  /** Longest stretch between pauses in milliseconds; default 8. */
  readonly budget?: number
  /** Milliseconds from some moment on; default `performance.now`. */
  readonly now?: () => number
}

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })

/**
 * Await `step()` inside a long loop; it returns at once unless the budget is spent.
 *
 * @example
 * ```ts
 * import { Pacer } from '@he-ml/ckks-core'
 * const pacer = new Pacer('squares', { budget: 5 })
 * let total = 0
 * for (let i = 0; i < 1000; i++) {
 *   total += i * i
 *   await pacer.step()
 * }
 * ```
 */
export class Pacer {
  readonly #what: string
  readonly #signal: AbortSignal | undefined
  readonly #pause: () => Promise<void> | void
  readonly #budget: number
  readonly #now: () => number
  #since: number

  /** @param what named in the CancelledError */
  constructor(what: string, options: PaceOptions = {}) {
    this.#what = what
    this.#signal = options.signal
    this.#pause = options.pause ?? turn
    this.#budget = options.budget ?? 8
    this.#now = options.now ?? (() => performance.now())
    this.#since = this.#now()
    this.check()
  }

  /** @throws CancelledError when the signal is aborted */
  check(): void {
    if (this.#signal?.aborted) throw new CancelledError(`"${this.#what}" was cancelled`, { cause: this.#signal.reason })
  }

  /** Pauses when the budget is spent. @throws CancelledError when the signal is aborted */
  async step(): Promise<void> {
    this.check()
    if (this.#now() - this.#since < this.#budget) return
    await this.#pause()
    this.#since = this.#now()
    this.check()
  }
}
