/**
 * One key of a store on its way in and out: absent, queued, loading, resident. Who holds it (leases), who expects it
 * (announcements), when it was last needed, and who waits for it.
 *
 * A key that is dropped while it loads keeps its room until the load has stopped, and is queued again should somebody have leased
 * it meanwhile.
 */
import type { StoredKey } from './stored-key.ts'

type State = 'absent' | 'queued' | 'loading' | 'resident'

interface Waiter {
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** A key that somebody waits for. */
export interface Arrival {
  /** Rejects with what made loading fail, or the store's end. */
  readonly arrived: Promise<void>
  /** Nobody waits any more: it stays as it is. */
  forget(): void
}

/** @internal */
export class ResidentKey<K extends StoredKey = StoredKey> {
  readonly stored: K
  /** Who expects it, and how soon: places in the order of their needs. */
  readonly announcements = new Map<object, number>()
  readonly #waiters = new Set<Waiter>()
  #state: State = 'absent'
  #leases = 0
  #used = 0
  #closed: Error | undefined
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

  /** How soon it is needed: the place in the order of whoever expects it first; Infinity when nobody does. */
  get nextUse(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.announcements.values())
  }
  /** Whether it is on its way out: dropped while it loads, and leased by nobody since. */
  get leaving(): boolean {
    return this.#leases === 0 && this.#load?.stop.signal.aborted === true
  }

  /** Resolves when what is loading has come to an end. */
  async stopped(): Promise<void> {
    await this.#load?.end
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
  announce(by: object, place: number): void {
    this.announcements.set(by, place)
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
    this.#closed = reason
    this.#leases = 0
    this.announcements.clear()
    for (const waiter of this.#waiters) waiter.reject(reason)
    this.#waiters.clear()
    this.drop()
    await this.#load?.end
  }

  whenResident(): Arrival {
    // leased just before the store's end
    if (this.#closed) return { arrived: Promise.reject(this.#closed), forget: () => {} }
    if (this.#state === 'resident') return { arrived: Promise.resolve(), forget: () => {} }
    let waiter: Waiter
    const arrived = new Promise<void>((resolve, reject) => {
      waiter = { resolve, reject }
      this.#waiters.add(waiter)
    })
    return { arrived, forget: () => void this.#waiters.delete(waiter) }
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
    if (dropped) {
      this.#state = this.#leases > 0 ? 'queued' : 'absent'
      return this.#state
    }
    this.#state = 'absent'
    this.announcements.clear()
    for (const waiter of this.#waiters) waiter.reject(error)
    this.#waiters.clear()
    return 'absent'
  }
}
