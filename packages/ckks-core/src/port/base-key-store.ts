/**
 * Which keys are resident: the policy of every key store, apart from where keys come from. A subclass says which keys there are
 * and how one is loaded and dropped.
 *
 * A key is absent, queued, loading or resident; all but the first count against the budget, so that what is on its way has its
 * room already. Requests wait in line for room; keys wait in line for one of two loaders, leased ones before prefetched ones.
 * Two, so that one key is read while the one before is unpacked.
 */
import { CancelledError, DisposedError, InvalidArgumentError, MemoryError, MissingKeyError } from '../errors/errors.ts'
import type { KeyLease, KeyPrefetch, KeyStore } from './key-store.ts'
import { describeKey, type KeyNeed, type KeyRequest, KeyRequestBuilder } from './keys.ts'
import { ResidentKey } from './resident-key.ts'

/** A key that a store can load. */
export interface StoredKey {
  /** The most it serves: its kind, steps and level. */
  readonly need: KeyNeed
  /** Bytes of memory when resident. */
  readonly bytes: number
}

/** Keys that are loaded at the same time. */
const LOADERS = 2

interface Request<K extends StoredKey> {
  readonly keys: readonly ResidentKey<K>[]
  readonly admit: () => void
  readonly refuse: (reason: Error) => void
}

export abstract class BaseKeyStore<K extends StoredKey = StoredKey> implements KeyStore {
  readonly budget: number
  abstract readonly keyId: string | undefined
  readonly #keys = new Map<string, ResidentKey<K>>()
  readonly #requests: Request<K>[] = []
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
    try {
      await Promise.all(keys.map((key) => key.whenResident(signal)))
    } catch (error) {
      release()
      throw signal?.aborted ? cancelled(signal) : error
    }
    return new Lease(needs, bytes, release)
  }

  prefetch(needs: readonly KeyNeed[]): KeyPrefetch {
    const announced = new Set<ResidentKey<K>>()
    for (const need of needs) {
      const key = this.#find(need)
      if (!key || this.#closing.signal.aborted) continue
      announced.add(key)
      if (key.state === 'absent' && !this.#makeRoom(key.bytes, (k) => k.leases > 0 || k.announcements.size > 0)) break
      key.announce(announced, ++this.#clock)
      this.#enqueue(key)
    }
    return {
      dispose: () => this.#withdraw(announced),
      [Symbol.dispose]: () => this.#withdraw(announced),
    }
  }

  evict(bytes: number): number {
    let freed = 0
    for (const key of this.#byAge()) {
      if (this.residentBytes <= bytes) break
      if (key.leases > 0) continue
      if (this.#drop(key)) freed += key.bytes
    }
    this.#serve()
    return freed
  }

  async dispose(): Promise<void> {
    this.#closing.abort()
    for (const request of this.#requests.splice(0)) request.refuse(closed('acquire'))
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
    return key !== undefined && key.stored.need.level >= need.level ? key : undefined
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
        reject(cancelled(signal!))
        this.#serve()
      }
      const done = (): void => signal?.removeEventListener('abort', abort)
      const request: Request<K> = {
        keys,
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
    this.#startLoaders()
  }

  /** Evicts, oldest first, what may go, if that makes room; otherwise only stops what is loading for nobody. */
  #makeRoom(bytes: number, kept: (key: ResidentKey<K>) => boolean): boolean {
    const others = [...this.#byAge()].filter((key) => !kept(key))
    const fixed = this.residentBytes - sum(others)
    if (fixed + bytes > this.budget) return false
    for (const key of others) {
      if (this.residentBytes + bytes <= this.budget) break
      this.#drop(key)
    }
    return this.residentBytes + bytes <= this.budget
  }

  *#byAge(): Iterable<ResidentKey<K>> {
    const here = [...this.#keys.values()].filter((key) => key.state !== 'absent')
    yield* here.sort((a, b) => a.used - b.used)
  }

  /** @returns whether its room is free now; that of a key which is loading comes when it has stopped */
  #drop(key: ResidentKey<K>): boolean {
    this.#queue.delete(key)
    if (key.state === 'resident') this.unload(key.stored)
    return key.drop()
  }

  #withdraw(announced: Set<ResidentKey<K>>): void {
    for (const key of announced) {
      key.announcements.delete(announced)
      if (key.state === 'queued' && key.leases === 0 && key.announcements.size === 0) this.#drop(key)
    }
    announced.clear()
    this.#serve()
  }

  #enqueue(key: ResidentKey<K>): void {
    if (key.state === 'absent') {
      key.queue()
      this.#queue.add(key)
    }
    this.#startLoaders()
  }

  #startLoaders(): void {
    while (this.#loading < LOADERS) {
      const waiting = [...this.#queue]
      const next = waiting.find((key) => key.leases > 0) ?? waiting[0]
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

class Lease implements KeyLease {
  readonly needs: readonly KeyNeed[]
  readonly bytes: number
  #release: (() => void) | undefined
  constructor(needs: readonly KeyNeed[], bytes: number, release: () => void) {
    this.needs = [...needs]
    this.bytes = bytes
    this.#release = release
  }
  get disposed(): boolean {
    return this.#release === undefined
  }
  dispose(): void {
    const release = this.#release
    this.#release = undefined
    release?.()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
}

function requestOf(keys: Iterable<ResidentKey>): KeyRequest {
  const builder = new KeyRequestBuilder()
  for (const key of keys) builder.add(key.stored.need)
  return builder.build()
}

const nameOf = (need: KeyNeed): string => (need.kind === 'rotation' ? `rotation ${need.steps}` : need.kind)
const sum = (keys: readonly { readonly bytes: number }[]): number => keys.reduce((total, key) => total + key.bytes, 0)
const closed = (operation: string): DisposedError =>
  new DisposedError(`${operation}: the key store was disposed of before`)
const cancelled = (signal: AbortSignal): CancelledError =>
  new CancelledError('acquire: cancelled before the keys were there', { cause: signal.reason })
