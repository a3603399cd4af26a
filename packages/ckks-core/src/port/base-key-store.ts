/**
 * Which keys are resident: the policy of every key store, apart from where keys come from. A subclass says which keys there are
 * and how one is loaded and dropped.
 *
 * A key is absent, queued, loading or resident; all but the first count against the budget, so that what is on its way has its
 * room already. Requests wait in line for room; keys wait in line for one of two loaders, leased ones before prefetched ones.
 * Two, so that one key is read while the one before is unpacked. Where room is short, what is needed again latest goes first, as
 * far as announcements tell (Belady, 1966), and before it what nobody announced, the least recently needed first.
 */
import { CancelledError, DisposedError, InvalidArgumentError, MemoryError, MissingKeyError } from '../errors/errors.ts'
import type { KeyLease, KeyPrefetch, KeyStore } from './key-store.ts'
import { describeKey, type KeyNeed, type KeyRequest, KeyRequestBuilder, serves } from './keys.ts'
import { OwnedLease } from './owned-lease.ts'
import { ResidentKey } from './resident-key.ts'
import type { StoredKey } from './stored-key.ts'
import { untilAborted } from './until-aborted.ts'

/** Keys that are loaded at the same time. */
const LOADERS = 2

/** Keys in the order in which they will be leased. */
interface Announcement<K extends StoredKey> {
  readonly keys: readonly ResidentKey<K>[]
  /** Bytes that all keys may take together for one of these to be loaded in advance. */
  most: number
  /** Bytes that it may add now. */
  readonly room: () => number
}

interface Request<K extends StoredKey> extends Announcement<K> {
  readonly admit: () => void
  readonly refuse: (reason: Error) => void
}

export abstract class BaseKeyStore<K extends StoredKey = StoredKey> implements KeyStore {
  readonly budget: number
  abstract readonly keyId: string | undefined
  readonly #keys = new Map<string, ResidentKey<K>>()
  readonly #requests: Request<K>[] = []
  readonly #announcements = new Set<Announcement<K>>()
  readonly #queue = new Set<ResidentKey<K>>()
  readonly #closing = new AbortController()
  #loading = 0
  #clock = 0

  /** @throws InvalidArgumentError for a budget that is no positive number, or for two keys that serve the same needs */
  constructor(keys: Iterable<K>, budget = Number.POSITIVE_INFINITY) {
    if (!(budget > 0)) throw new InvalidArgumentError(`key store: the budget must be a positive number, got ${budget}`)
    this.budget = budget
    for (const key of keys) {
      const name = nameOf(key.need)
      if (this.#keys.has(name)) throw new InvalidArgumentError(`key store: there are two keys for ${name}`)
      this.#keys.set(name, new ResidentKey(key))
    }
  }

  /** Makes a key usable; called once at a time per key. @throws its signal's reason once that is aborted */
  protected abstract load(key: K, signal: AbortSignal): Promise<void>
  /** Takes it from the engine. Operations that were queued with it keep it. */
  protected abstract unload(key: K): void

  get residentBytes(): number {
    let bytes = 0
    for (const key of this.#keys.values()) if (key.state !== 'absent') bytes += key.bytes
    return bytes
  }

  has(need: KeyNeed): boolean {
    return this.#find(need) !== undefined
  }

  get available(): KeyRequest {
    return requestOf(this.#keys.values())
  }

  get resident(): KeyRequest {
    return requestOf([...this.#keys.values()].filter((key) => key.state === 'resident'))
  }

  isResident(need: KeyNeed): boolean {
    return this.#find(need)?.state === 'resident'
  }

  bytes(...needs: readonly KeyNeed[]): number {
    return sum(this.#serving(needs, 'bytes'))
  }

  async acquire(needs: readonly KeyNeed[], options: { readonly signal?: AbortSignal } = {}): Promise<KeyLease> {
    const { signal } = options
    this.#assertOpen('acquire')
    const keys = this.#serving(needs, 'acquire')
    const bytes = sum(keys)
    if (bytes > this.budget)
      throw new MemoryError(
        `acquire: ${keys.length} keys of ${bytes} bytes do not fit the budget of ${this.budget} bytes: raise it to ${bytes} at least, or split the step that needs them all at once`,
      )
    await this.#admission(keys, signal)
    const release = (): void => {
      for (const key of keys) key.release(++this.#clock)
      this.#serve()
    }
    const arrivals = keys.map((key) => key.whenResident())
    try {
      await untilAborted(Promise.all(arrivals.map(({ arrived }) => arrived)), signal, 'acquire')
    } catch (error) {
      for (const arrival of arrivals) arrival.forget()
      release()
      throw signal?.aborted ? cancelled(signal) : error
    }
    return new OwnedLease(needs, bytes, release)
  }

  prefetch(needs: readonly KeyNeed[], options: { readonly room?: () => number } = {}): KeyPrefetch {
    const keys = new Set(needs.map((need) => this.#find(need)).filter((key) => key !== undefined))
    const { room = unlimited } = options
    const announcement: Announcement<K> = { keys: [...keys], most: this.budget, room }
    if (!this.#closing.signal.aborted) {
      for (const [place, key] of announcement.keys.entries()) key.announce(announcement, place)
      this.#announcements.add(announcement)
      this.#serve()
    }
    return {
      dispose: () => this.#withdraw(announcement),
      [Symbol.dispose]: () => this.#withdraw(announcement),
    }
  }

  evict(bytes: number, { keep = [] }: { readonly keep?: readonly KeyNeed[] } = {}): number {
    const kept = new Set(keep.map((need) => this.#find(need)))
    let freed = 0
    for (const announcement of this.#announcements) announcement.most = Math.min(announcement.most, bytes)
    for (const key of this.#byDispensability()) {
      if (this.residentBytes <= bytes) break
      if (key.leases > 0 || kept.has(key)) continue
      if (this.#drop(key)) freed += key.bytes
    }
    this.#serve()
    return freed
  }

  async evicted(): Promise<void> {
    for (;;) {
      const leaving = [...this.#keys.values()].filter((key) => key.leaving)
      if (leaving.length === 0) return
      await Promise.all(leaving.map((key) => key.stopped()))
    }
  }

  async dispose(): Promise<void> {
    this.#closing.abort()
    for (const request of this.#requests.splice(0)) request.refuse(closed('acquire'))
    this.#announcements.clear()
    this.#queue.clear()
    const ends = [...this.#keys.values()].map((key) => {
      if (key.state === 'resident') this.unload(key.stored)
      return key.close(closed('acquire'))
    })
    await Promise.all(ends)
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #find(need: KeyNeed): ResidentKey<K> | undefined {
    const key = this.#keys.get(nameOf(need))
    return key !== undefined && serves(key.stored.need, need) ? key : undefined
  }

  #serving(needs: readonly KeyNeed[], operation: string): ResidentKey<K>[] {
    const missing = needs.filter((need) => !this.has(need)).map(describeKey)
    if (missing.length > 0)
      throw new MissingKeyError(
        `${operation}: the key store lacks ${missing.length} keys: ${missing.slice(0, 8).join(', ')}${missing.length > 8 ? ', ...' : ''}; generate keys from the plan's keyRequest`,
      )
    return [...new Set(needs.map((need) => this.#find(need)!))]
  }

  /** Resolves when the keys are leased and have their room. */
  #admission(keys: readonly ResidentKey<K>[], signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(cancelled(signal))
        return
      }
      const abort = (): void => {
        this.#requests.splice(this.#requests.indexOf(request), 1)
        for (const key of keys) key.announcements.delete(request)
        reject(cancelled(signal!))
        this.#serve()
      }
      const done = (): void => signal?.removeEventListener('abort', abort)
      const request: Request<K> = {
        keys,
        most: this.budget,
        room: unlimited,
        admit: () => {
          done()
          resolve()
        },
        refuse: (reason) => {
          done()
          reject(reason)
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#requests.push(request)
      for (const key of keys) key.announce(request, -1)
      this.#serve()
    })
  }

  /** Admits requests in line as far as there is room, and keeps the loaders busy. */
  #serve(): void {
    for (let request = this.#requests[0]; request !== undefined; request = this.#requests[0]) {
      const { keys } = request
      const wanted = new Set(keys)
      const absent = sum(keys.filter((key) => key.state === 'absent'))
      if (!this.#makeRoom(absent, (key) => key.leases > 0 || wanted.has(key))) break
      this.#requests.shift()
      for (const key of keys) {
        key.lease(++this.#clock)
        this.#enqueue(key)
      }
      request.admit()
    }
    for (const wanted of [...this.#requests, ...this.#announcements]) this.#fetchAhead(wanted)
    this.#startLoaders()
  }

  /** Queues what is wanted and not there, the soonest first, in the room of what is wanted later. */
  #fetchAhead(wanted: Announcement<K>): void {
    for (const key of wanted.keys) {
      if (key.state !== 'absent' || !key.announcements.has(wanted)) continue
      const use = key.nextUse
      const most = Math.min(wanted.most, this.residentBytes + wanted.room())
      if (!this.#makeRoom(key.bytes, (other) => other.leases > 0 || other.nextUse <= use, most)) return
      this.#enqueue(key)
    }
  }

  /** Evicts what may go, if that makes room. @returns whether there is room now, and not only when loads have stopped */
  #makeRoom(bytes: number, kept: (key: ResidentKey<K>) => boolean, most = this.budget): boolean {
    const others = this.#byDispensability().filter((key) => !kept(key))
    if (this.residentBytes - sum(others) + bytes > most) return false
    let staying = this.residentBytes - sum(others.filter((key) => key.leaving))
    for (const key of others) {
      if (staying + bytes <= most) break
      if (key.leaving) continue
      this.#drop(key)
      staying -= key.bytes
    }
    return this.residentBytes + bytes <= most
  }

  /** What nobody expects, the least recently needed first; then what is needed again latest. */
  #byDispensability(): ResidentKey<K>[] {
    const here = [...this.#keys.values()].filter((key) => key.state !== 'absent')
    const places = new Map(here.map((key) => [key, key.nextUse]))
    return here.sort((a, b) => {
      const [first, second] = [places.get(a)!, places.get(b)!]
      return first === second ? a.used - b.used : second - first
    })
  }

  /** @returns whether its room is free now; that of a key which is loading comes when it has stopped */
  #drop(key: ResidentKey<K>): boolean {
    this.#queue.delete(key)
    if (key.state === 'resident') this.unload(key.stored)
    return key.drop()
  }

  #withdraw(announcement: Announcement<K>): void {
    if (!this.#announcements.delete(announcement)) return
    for (const key of announcement.keys) {
      key.announcements.delete(announcement)
      if (key.state === 'queued' && key.leases === 0 && key.announcements.size === 0) this.#drop(key)
    }
    this.#serve()
  }

  #enqueue(key: ResidentKey<K>): void {
    if (key.state !== 'absent') return
    key.queue()
    this.#queue.add(key)
  }

  #startLoaders(): void {
    while (this.#loading < LOADERS) {
      const next = mostUrgent(this.#queue)
      if (next === undefined) return
      this.#queue.delete(next)
      this.#loading++
      next
        .run((signal) => this.load(next.stored, signal))
        .then((outcome) => {
          this.#loading--
          if (outcome === 'unwanted') this.unload(next.stored)
          if (outcome === 'queued') this.#queue.add(next)
          this.#serve()
        })
    }
  }

  #assertOpen(operation: string): void {
    if (this.#closing.signal.aborted) throw closed(operation)
  }
}

function requestOf(keys: Iterable<ResidentKey>): KeyRequest {
  const builder = new KeyRequestBuilder()
  for (const key of keys) builder.add(key.stored.need)
  return builder.build()
}

function mostUrgent<K extends StoredKey>(keys: Iterable<ResidentKey<K>>): ResidentKey<K> | undefined {
  let best: ResidentKey<K> | undefined
  let bestUse = Number.POSITIVE_INFINITY
  for (const key of keys) {
    if (key.leases > 0) return key
    if (best !== undefined && key.nextUse >= bestUse) continue
    best = key
    bestUse = key.nextUse
  }
  return best
}

const unlimited = (): number => Number.POSITIVE_INFINITY
const nameOf = (need: KeyNeed): string => (need.kind === 'rotation' ? `rotation ${need.steps}` : need.kind)
const sum = (keys: readonly { readonly bytes: number }[]): number => keys.reduce((total, key) => total + key.bytes, 0)
const closed = (operation: string): DisposedError =>
  new DisposedError(`${operation}: the key store was disposed of before`)
const cancelled = (signal: AbortSignal): CancelledError =>
  new CancelledError('acquire: cancelled before the keys were there', { cause: signal.reason })
