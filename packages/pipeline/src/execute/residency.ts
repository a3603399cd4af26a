/**
 * One budget for whatever can be had again: encoded weights, evaluation keys, ciphertexts that may be spilled. What a task needs
 * is held while it runs; when room is short, what is wanted again latest goes first, which is the best one can do when the order
 * of uses is known (Belady, 1966), and a program tells it.
 *
 * A resident is moved by nobody else: whoever wants it waits for a move that is under way, and so does its owner, who disposes of it.
 */

import { untilAborted } from '@he-ml/ckks-core'

/** Something that takes memory and can be dropped and had again. */
export interface Resident {
  readonly id: string
  readonly bytes: number
  /** @throws CancelledError through the signal, which is aborted when nobody wants it any more; whatever loading throws */
  load(signal: AbortSignal): Promise<void>
  /** When it fails nothing has changed: it is still there. */
  drop(): Promise<void>
}

/** What is held until it is released. */
export interface Held {
  release(): void
}

/** Memory that somebody else keeps the books of, and gives back on request: evaluation keys. */
export interface Pool {
  readonly bytes: number
  /** Gives back until at most so many bytes are left, as far as it can. @returns bytes that were given back at once */
  evict(bytes: number): number
  /** Resolves when nothing is on its way out any more. */
  evicted(): Promise<void>
}

export interface ResidencyOptions {
  /** Bytes for all residents and reservations together; default: no limit. */
  readonly budget?: number
  /** When something is wanted again: the lower, the sooner; Infinity for not in this run. */
  readonly nextUse: (id: string) => number
  /** Counts too, and makes room before anything goes that is wanted again. */
  readonly pool?: Pool
}

interface Entry {
  readonly resident: Resident
  pins: number
  /** Who waits for it. */
  wanted: number
  /** Settles when it is there. */
  readonly loaded: Promise<void>
  /** Stops the loading. */
  readonly stop: AbortController
  there: boolean
  /** Settles when it is out, or stays after all. */
  leaving: Promise<void> | undefined
}

/** Keeps the books on what is in memory. */
export class Residency {
  /** Bytes for everything together. */
  budget: number
  readonly #nextUse: (id: string) => number
  readonly #pool: Pool | undefined
  readonly #entries = new Map<string, Entry>()
  #room: Promise<void> = Promise.resolve()
  readonly #waiting = new Set<() => void>()
  #holds = 0
  #reserved = 0
  #resident = 0

  constructor({ budget = Number.POSITIVE_INFINITY, nextUse, pool }: ResidencyOptions) {
    this.budget = budget
    this.#pool = pool
    this.#nextUse = nextUse
  }

  /** Bytes of everything that is there or on its way, and of reservations. */
  get used(): number {
    return this.#resident + this.#reserved + (this.#pool?.bytes ?? 0)
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  /** Bytes that are free. */
  get free(): number {
    return this.budget - this.used
  }

  /** Whether anything is held now. */
  get busy(): boolean {
    return this.#holds > 0
  }

  /** Resolves when something that is held now is released, or nothing is. */
  async released(): Promise<void> {
    if (this.busy) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  /** Books bytes that come to be elsewhere, until they are released. */
  reserve(bytes: number): Held {
    this.#reserved += bytes
    let held = true
    return {
      release: () => {
        if (held) this.#reserved -= bytes
        held = false
      },
    }
  }

  /** Makes so many bytes free, as far as that is possible. */
  async makeRoom(bytes: number): Promise<void> {
    await this.#makeRoom(bytes)
  }

  /** Whether these could be held now, beside all that is held already. */
  fits(residents: readonly Resident[], reserve = 0): boolean {
    const wanted = new Set(residents.map(({ id }) => id))
    let bytes = this.#reserved + reserve
    for (const { resident, pins } of this.#entries.values())
      if (pins > 0 || wanted.has(resident.id)) bytes += resident.bytes
    for (const { id, bytes: own } of residents) if (!this.#entries.has(id)) bytes += own
    return bytes <= this.budget
  }

  /**
   * Brings everything into memory, others out of it where room is short, and keeps it there.
   * More than the budget, when all the rest is held too: ask `fits` before.
   *
   * @param reserve bytes for what comes to be while it is held
   * @throws CancelledError through the signal; whatever loading throws, or dropping others
   */
  async hold(residents: readonly Resident[], reserve = 0, signal?: AbortSignal): Promise<Held> {
    this.#reserved += reserve
    this.#holds++
    const entries: Entry[] = []
    const release = (): void => {
      this.#reserved -= reserve
      this.#holds--
      for (const entry of entries.splice(0)) entry.pins--
      for (const resolve of this.#waiting) resolve()
      this.#waiting.clear()
    }
    const pin = (entry: Entry): void => {
      entry.pins++
      entries.push(entry)
    }
    // those that are there are pinned before room is made for the others
    const arrivals = residents.map((resident) => this.#bring(resident, signal, pin))
    const failed = (await Promise.allSettled([...arrivals, this.#makeRoom(0)])).find(
      ({ status }) => status === 'rejected',
    )
    if (failed) {
      release()
      throw (failed as PromiseRejectedResult).reason
    }
    let held = true
    return {
      release: () => {
        if (held) release()
        held = false
      },
    }
  }

  /** Loads in advance, if there is room without dropping what is wanted sooner. Failures show when it is held. */
  async prefetch(resident: Resident, signal?: AbortSignal): Promise<void> {
    if (this.#entries.has(resident.id)) return
    const use = this.#nextUse(resident.id)
    const later = [...this.#entries.values()].filter((e) => isFree(e) && this.#nextUse(e.resident.id) > use)
    const free = this.budget - this.used + later.reduce((sum, { resident: r }) => sum + r.bytes, 0)
    if (resident.bytes > free) return
    await settled(this.#bring(resident, signal))
  }

  /**
   * Books what came to be in memory by itself, makes room for it, and keeps it there until it is released.
   * @param fixed never dropped, until it is forgotten
   * @throws whatever dropping others throws
   */
  adopt(residents: readonly Resident[], fixed: boolean): Promise<Held> {
    for (const resident of residents) {
      const here = { pins: fixed ? 1 : 0, wanted: 0, stop: new AbortController(), there: true, leaving: undefined }
      this.#add({ ...here, resident, loaded: Promise.resolve() })
    }
    return this.hold(residents)
  }

  /** Strikes off what its owner is about to dispose of: what is moving it has ended when this resolves, and nothing moves it again. */
  async forget(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (!entry) return
    entry.stop.abort()
    await this.#leave(entry, async () => {})
  }

  /** Drops something unless it is held. @throws whatever dropping throws */
  async drop(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry && entry.pins === 0) await this.#evict(entry)
  }

  /** Drops everything that is not held. */
  async clear(): Promise<void> {
    for (const id of [...this.#entries.keys()]) await this.drop(id)
  }

  /** Brings a resident into memory; `pin` sees its entry before anybody can take it away. What nobody waits for any more is not loaded. */
  async #bring(resident: Resident, signal?: AbortSignal, pin?: (entry: Entry) => void): Promise<void> {
    let entry = this.#entries.get(resident.id)
    while (entry && isGoing(entry)) {
      await untilAborted(settled(entry.leaving ?? entry.loaded), signal, 'run')
      entry = this.#entries.get(resident.id)
    }
    entry ??= this.#load(resident)
    pin?.(entry)
    entry.wanted++
    try {
      await untilAborted(entry.loaded, signal, 'run')
    } finally {
      if (--entry.wanted === 0 && !entry.there) entry.stop.abort()
    }
  }

  #load(resident: Resident): Entry {
    const stop = new AbortController()
    const loaded = this.#makeRoom(0).then(() => resident.load(stop.signal))
    const entry: Entry = { resident, pins: 0, wanted: 0, loaded, stop, there: false, leaving: undefined }
    this.#add(entry)
    loaded.then(
      () => {
        entry.there = true
      },
      () => this.#remove(entry),
    )
    return entry
  }

  /** Evicts the latest wanted until `bytes` more fit, or nothing is left that may go. One after another, so that none goes too far. */
  #makeRoom(bytes: number): Promise<void> {
    const made = this.#room.then(() => this.#evictFor(bytes))
    // a failure is of whoever wanted the room
    this.#room = settled(made)
    return made
  }

  async #evictFor(bytes: number): Promise<void> {
    for (;;) {
      if (this.used + bytes <= this.budget) return
      const latest = this.#latest()
      const wanted = latest !== undefined && this.#nextUse(latest.resident.id) < Number.POSITIVE_INFINITY
      if ((latest === undefined || wanted) && (await this.#evictPool(bytes))) continue
      if (latest) await this.#evict(latest)
      else {
        const leaving = [...this.#entries.values()].find((entry) => entry.there && entry.leaving)?.leaving
        if (!leaving) return
        await settled(leaving)
      }
    }
  }

  /** @returns whether anything came of it */
  async #evictPool(bytes: number): Promise<boolean> {
    const pool = this.#pool
    if (!pool) return false
    const before = pool.bytes
    pool.evict(Math.max(0, before - (this.used + bytes - this.budget)))
    if (pool.bytes === before) await pool.evicted()
    return pool.bytes < before
  }

  /** What may go and is wanted again latest. */
  #latest(): Entry | undefined {
    let latest: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (!isFree(entry)) continue
      if (!latest || this.#nextUse(entry.resident.id) > this.#nextUse(latest.resident.id)) latest = entry
    }
    return latest
  }

  async #evict(entry: Entry): Promise<void> {
    await (entry.leaving ?? this.#leave(entry, () => entry.resident.drop()))
  }

  /** Takes an entry out of the books, when what moves it now has ended. */
  #leave(entry: Entry, way: () => Promise<void>): Promise<void> {
    const before = entry.leaving
    const leave = async (): Promise<void> => {
      await settled(entry.loaded)
      await settled(before)
      if (this.#entries.get(entry.resident.id) !== entry) return
      try {
        await way()
        this.#remove(entry)
      } finally {
        if (entry.leaving === leaving) entry.leaving = undefined
      }
    }
    const leaving = leave()
    entry.leaving = leaving
    return leaving
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.resident.id, entry)
    this.#resident += entry.resident.bytes
  }

  #remove(entry: Entry): void {
    if (this.#entries.get(entry.resident.id) !== entry) return
    this.#entries.delete(entry.resident.id)
    this.#resident -= entry.resident.bytes
  }
}

const settled = async (work: Promise<unknown> | undefined): Promise<void> => {
  await work?.catch(() => undefined)
}
/** Whether it is on its way out, or will never arrive. */
const isGoing = ({ leaving, there, stop }: Entry): boolean => leaving !== undefined || (!there && stop.signal.aborted)
const isFree = ({ pins, leaving, there }: Entry): boolean => pins === 0 && leaving === undefined && there
