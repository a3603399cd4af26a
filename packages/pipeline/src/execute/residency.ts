/**
 * One budget for whatever can be had again: encoded weights, evaluation keys, ciphertexts that may be spilled. What a task needs
 * is held while it runs; when room is short, what is wanted again latest goes first, which is the best one can do when the order
 * of uses is known (Belady, 1966), and a program tells it.
 */

/** Something that takes memory and can be dropped and had again. */
export interface Resident {
  readonly id: string
  readonly bytes: number
  /** @throws CancelledError through the signal, and whatever loading throws */
  load(signal?: AbortSignal): Promise<void>
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
  /** Settles when it is there. */
  readonly loaded: Promise<void>
  there: boolean
  leaving?: Promise<void>
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
   * @throws whatever loading throws
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
    try {
      // what is there already first, so that making room for the others does not take it away
      const there = residents.filter(({ id }) => this.#entries.has(id))
      const away = residents.filter(({ id }) => !this.#entries.has(id))
      const pinned = [...there, ...away].map((resident) =>
        this.#enter(resident, signal, (entry) => {
          entry.pins++
          entries.push(entry)
        }),
      )
      await Promise.all(pinned)
      await this.#makeRoom(0)
      await Promise.all(entries.map(({ loaded }) => loaded))
    } catch (error) {
      release()
      throw error
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
    const { loaded } = await this.#enter(resident, signal)
    await loaded.catch(() => undefined)
  }

  /**
   * Books what came to be in memory by itself, and makes room for it.
   * @param fixed never dropped, until it is forgotten
   */
  async adopt(resident: Resident, fixed: boolean): Promise<void> {
    this.#add({ resident, pins: fixed ? 1 : 0, loaded: Promise.resolve(), there: true })
    await this.#makeRoom(0)
  }

  /** Strikes off what its owner has disposed of. */
  forget(id: string): void {
    const entry = this.#entries.get(id)
    if (entry) this.#remove(entry)
  }

  /** Drops something unless it is held. */
  async drop(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry && entry.pins === 0) await this.#evict(entry)
  }

  /** Drops everything that is not held. */
  async clear(): Promise<void> {
    for (const id of [...this.#entries.keys()]) await this.drop(id)
  }

  /** The entry of a resident, loading or there; `pin` sees it before anybody can take it away. */
  async #enter(resident: Resident, signal?: AbortSignal, pin?: (entry: Entry) => void): Promise<Entry> {
    for (;;) {
      const known = this.#entries.get(resident.id)
      if (!known) break
      if (!known.leaving) {
        pin?.(known)
        return known
      }
      await known.leaving
    }
    const room = this.#makeRoom(0, resident.id)
    const loaded = room.then(() => resident.load(signal))
    const entry: Entry = { resident, pins: 0, loaded, there: false }
    pin?.(entry)
    this.#add(entry)
    loaded.then(
      () => {
        entry.there = true
      },
      () => undefined,
    )
    loaded.catch(() => this.#remove(entry))
    return entry
  }

  /** Evicts the latest wanted until `bytes` more fit, or nothing is left that may go. One after another, so that none goes too far. */
  #makeRoom(bytes: number, but?: string): Promise<void> {
    this.#room = this.#room.then(() => this.#evictFor(bytes, but))
    return this.#room
  }

  async #evictFor(bytes: number, but: string | undefined): Promise<void> {
    for (;;) {
      if (this.used + bytes <= this.budget) return
      const latest = this.#latest(but)
      const wanted = latest !== undefined && this.#nextUse(latest.resident.id) < Number.POSITIVE_INFINITY
      if ((latest === undefined || wanted) && (await this.#evictPool(bytes))) continue
      if (!latest) return
      await this.#evict(latest)
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
  #latest(but: string | undefined): Entry | undefined {
    let latest: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (!isFree(entry) || entry.resident.id === but) continue
      if (!latest || this.#nextUse(entry.resident.id) > this.#nextUse(latest.resident.id)) latest = entry
    }
    return latest
  }

  async #evict(entry: Entry): Promise<void> {
    entry.leaving ??= entry.loaded
      .then(
        () => entry.resident.drop(),
        () => undefined,
      )
      .finally(() => this.#remove(entry))
    await entry.leaving
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

const isFree = ({ pins, leaving, there }: Entry): boolean => pins === 0 && leaving === undefined && there
