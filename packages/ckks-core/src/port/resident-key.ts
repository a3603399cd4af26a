/**
 * One key of a store on its way in and out: absent, queued, loading, resident. Who holds it (leases), who expects it
 * (announcements), when it was last needed, and who waits for it.
 *
 * A key that is dropped while it loads keeps its room until the load has stopped, and is queued again should somebody have leased
 * it meanwhile.
 */
import type { StoredKey } from './base-key-store.ts'

type State = 'absent' | 'queued' | 'loading' | 'resident'

interface Waiter {
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** @internal */
export class ResidentKey<K extends StoredKey = StoredKey> {
  readonly stored: K
  /** Whoever announced it. */
  readonly announcements = new Set<object>()
  readonly #waiters = new Set<Waiter>()
  #state: State = 'absent'
  #leases = 0
  #used = 0
  #load: { readonly stop: AbortController; readonly end: Promise<unknown> } | undefined

  constructor(stored: K) {
    this.stored = stored
  }
  get bytes(): number {
    return this.stored.bytes
  }
  get state(): State {
    return this.#state
  }
  get leases(): number {
    return this.#leases
  }
  /** Time of the last need, in the store's counting. */
  get used(): number {
    return this.#used
  }

  /** Held from now on; it is expected no more. */
  lease(now: number): void {
    this.#leases++
    this.#used = now
    this.announcements.clear()
  }
  release(now: number): void {
    this.#leases = Math.max(0, this.#leases - 1)
    this.#used = now
  }
  announce(by: object, now: number): void {
    this.announcements.add(by)
    this.#used = now
  }

  queue(): void {
    this.#state = 'queued'
  }

  /**
   * Loads it. Resolves, never rejects, with what became of it; 'unwanted' was loaded although it had been dropped, and has to be
   * unloaded.
   */
  run(load: (signal: AbortSignal) => Promise<void>): Promise<'resident' | 'unwanted' | 'queued' | 'absent'> {
    const stop = new AbortController()
    this.#state = 'loading'
    const end = load(stop.signal).then(
      () => this.#arrived(stop.signal.aborted),
      (error: unknown) => this.#failed(error, stop.signal.aborted),
    )
    this.#load = { stop, end }
    return end
  }

  /** Lets it go. @returns whether its room is free now, and not only when the load has stopped */
  drop(): boolean {
    if (this.#state === 'loading') {
      this.#load?.stop.abort()
      return false
    }
    const held = this.#state !== 'absent'
    this.#state = 'absent'
    return held
  }

  /** The same for good: whoever waits gets the reason, nobody holds it any more. */
  async close(reason: Error): Promise<void> {
    this.#leases = 0
    this.announcements.clear()
    for (const waiter of this.#waiters) waiter.reject(reason)
    this.#waiters.clear()
    this.drop()
    await this.#load?.end
  }

  /** @throws what made loading fail; the signal's reason */
  whenResident(signal: AbortSignal | undefined): Promise<void> {
    if (this.#state === 'resident') return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve: () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
        reject: (reason) => {
          signal?.removeEventListener('abort', abort)
          reject(reason)
        },
      }
      const abort = (): void => {
        this.#waiters.delete(waiter)
        reject(signal!.reason)
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  #arrived(dropped: boolean): 'resident' | 'unwanted' {
    this.#load = undefined
    if (dropped && this.#leases === 0) {
      this.#state = 'absent'
      return 'unwanted'
    }
    this.#state = 'resident'
    for (const waiter of this.#waiters) waiter.resolve()
    this.#waiters.clear()
    return 'resident'
  }

  #failed(error: unknown, dropped: boolean): 'queued' | 'absent' {
    this.#load = undefined
    if (dropped && this.#leases > 0) {
      this.#state = 'queued'
      return 'queued'
    }
    this.#state = 'absent'
    this.announcements.clear()
    for (const waiter of this.#waiters) waiter.reject(error)
    this.#waiters.clear()
    return 'absent'
  }
}
