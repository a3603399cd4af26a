/**
 * Evaluation keys that need not all be in memory at once. A store knows every key of a set; of these, some are *resident*: in
 * the engine's memory, where operations find them. Whoever queues operations first leases the keys they need:
 *
 *     using lease = await keys.acquire(task.keys, { signal })
 *     const result = lane.rotate(x, 3)
 *     await result.ready()
 *
 * Leased keys stay; the others stay as long as there is room, and make room for what comes: first what nobody has announced, the
 * least recently needed first, then what is announced for the latest time. One store belongs to one engine and serves all its lanes.
 */
import type { KeyNeed, KeyRequest } from './keys.ts'

/** See {@link KeyStore.acquire}. Disposing of it twice is harmless. */
export interface KeyLease extends Disposable {
  /** What it was asked for. */
  readonly needs: readonly KeyNeed[]
  /** Bytes of the keys that serve these needs, each counted once. */
  readonly bytes: number
  /** Whether its keys were given free. */
  readonly disposed: boolean
  /**
   * Gives the keys free for eviction. An operation queued before keeps its keys alive until it has run, so nothing breaks when
   * this comes early; but that memory is then no longer counted, so wait for the operations first.
   */
  dispose(): void
}

/** See {@link KeyStore.prefetch}. */
export interface KeyPrefetch extends Disposable {
  /** Withdraws: what has not been loaded is not, what has been may make room for other prefetches. Twice is harmless. */
  dispose(): void
}

/** See above. */
export interface KeyStore extends AsyncDisposable {
  /** Bytes that resident keys may take together; Infinity for no limit. */
  readonly budget: number
  /** Bytes of the keys that are resident or on their way; at most `budget`. */
  readonly residentBytes: number
  /** Name of the secret key that all of them belong to; undefined where their files name none. */
  readonly keyId: string | undefined
  /** Whether some key serves the need (the same kind and steps, at its level or above), resident or not. */
  has(need: KeyNeed): boolean
  /** Every key, as needs it can serve. */
  readonly available: KeyRequest
  /** What is resident, likewise. */
  readonly resident: KeyRequest
  /** Whether it could be used right now. Without a lease the next call may change it. */
  isResident(need: KeyNeed): boolean
  /**
   * Bytes of memory of the keys that serve these needs when they are resident; a key that serves several counts once.
   * @throws MissingKeyError for a need that none serves
   */
  bytes(...needs: readonly KeyNeed[]): number
  /**
   * Makes keys resident and keeps them so until the lease is disposed of. Where leased keys leave too little room it waits for
   * their leases to end; requests are served in the order in which they came. All or nothing: a request that fails leases
   * nothing.
   *
   * Ask once, for everything that has to be there at the same time: who holds a lease while waiting for another may wait for
   * somebody who waits in turn for him.
   *
   * @throws MissingKeyError naming the needs that no key serves; MemoryError when these keys alone exceed the budget;
   *   CancelledError through the signal; whatever makes loading fail (FormatError for a damaged file); DisposedError
   */
  acquire(needs: readonly KeyNeed[], options?: { readonly signal?: AbortSignal }): Promise<KeyLease>
  /**
   * Says what will be leased, in that order: all of it, as far as it is known. Loading starts in the background, the soonest first, as
   * far as there is room beside leased keys and those that are announced for sooner, and goes on whenever room comes free; the order
   * decides too what goes when room is short. What never found room is left to `acquire`. Never throws and reports nothing: a key that
   * is missing or damaged is an error of the `acquire` that asks for it. The announcement of a key ends when it is leased, or with
   * `dispose()`.
   *
   * @param options `room`: how many more bytes keys may take now, beside the budget; asked whenever one could be loaded in advance. For
   *   whoever shares memory with others.
   */
  prefetch(needs: readonly KeyNeed[], options?: { readonly room?: () => number }): KeyPrefetch
  /**
   * Evicts keys that nobody leases, in the order above, until at most `bytes` are resident or only leased ones are left; what has been
   * announced so far is not loaded in advance beyond that any more.
   *
   * @param options `keep`: needs whose keys stay as if they were leased; what no key serves is none
   * @returns bytes of the keys evicted; what was still loading gives its room back when it has stopped, and is not counted
   */
  evict(bytes: number, options?: { readonly keep?: readonly KeyNeed[] }): number
  /** Resolves when no key that was evicted while it was loading takes room any more. */
  evicted(): Promise<void>
  /** Evicts everything; waiting requests fail with DisposedError. The engine stays. Twice is harmless. */
  dispose(): Promise<void>
}
