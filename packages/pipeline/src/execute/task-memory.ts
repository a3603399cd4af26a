/**
 * The memory of a program at work: weights, keys and values in one budget. Weights are encoded again when they are wanted again,
 * keys are leased from their store task by task, values go to a store and come back; without stores, keys and values simply count.
 */
import {
  CancelledError,
  InvalidArgumentError,
  type KeyLease,
  type KeyNeed,
  type KeyStore,
  untilAborted,
} from '@he-ml/ckks-core'
import type { Task } from '../program/task.ts'
import type { ValueId } from '../program/value.ts'
import type { WeightsId } from '../program/weights.ts'
import { KeyBookings } from './key-bookings.ts'
import { type LeastRoom, leastRoom } from './least-room.ts'
import type { TaskMemoryOptions } from './memory-figures.ts'
import { type Pool, Residency, type Resident } from './residency.ts'

/** Weights and keys, which outlive a run and are shared by runs side by side; the values of each see run-memory.ts. */
export class TaskMemory {
  readonly options: TaskMemoryOptions
  readonly residency: Residency
  /** The room without which no run comes to its end. */
  readonly least: LeastRoom
  /** The same of runs whose weights are not deferred. */
  readonly leastWhole: LeastRoom
  readonly #uses = new Map<string, number[]>()
  /** What is done, of each run at work. */
  readonly #runs = new Map<string, Set<number>>()
  /** The room that each of them needs. */
  readonly #rooms = new Map<string, number>()
  readonly bookings: KeyBookings
  #begun = 0
  /** Runs that are about to begin. */
  #beginning = 0
  /** Bytes for everything, of all runs at work or waiting to begin. */
  #ceiling = Number.POSITIVE_INFINITY
  readonly #waiting = new Set<() => void>()
  #leasing: Promise<void> = Promise.resolve()

  constructor(options: TaskMemoryOptions) {
    const { program, keys } = options
    this.options = options
    this.least = leastRoom(options)
    this.leastWhole = leastRoom(options, false)
    this.bookings = new KeyBookings(keys)
    this.residency = new Residency({
      ...(keys ? { pool: poolOf(keys, this.bookings) } : {}),
      nextUse: (id) => this.nextUse(id),
    })
    for (const [index, { weights, reads }] of program.tasks.entries())
      for (const id of [...weights.map(weightsName), ...reads.flat().map(valueName)])
        this.#uses.set(id, [...(this.#uses.get(id) ?? []), index])
    // the run's end reads the output
    this.#uses.set(valueName(program.output.id), [
      ...(this.#uses.get(valueName(program.output.id)) ?? []),
      program.tasks.length,
    ])
  }

  /** Runs at work. */
  get runs(): number {
    return this.#runs.size
  }

  /**
   * A run begins. Its inputs count beside those of the runs that are at work; where these leave too little room for its tasks it waits
   * until one of them has ended.
   *
   * @param ceiling bytes for everything, which runs side by side share
   * @param room that it needs, as `least` or `leastWhole` say
   * @returns the run's name, for the other methods
   * @throws InvalidArgumentError when runs at work have another ceiling; CancelledError through the signal
   */
  async begin(ceiling: number, signal?: AbortSignal, room = this.least.bytes): Promise<string> {
    if (this.#runs.size + this.#beginning > 0 && ceiling !== this.#ceiling)
      throw new InvalidArgumentError(
        `run: side by side with runs under a ceiling of ${this.#ceiling} bytes none can have one of ${ceiling}: give all the same, or await the others`,
      )
    this.#ceiling = ceiling
    this.#beginning++
    try {
      for (;;) {
        if (signal?.aborted) throw new CancelledError('run: cancelled before it began', { cause: signal.reason })
        // judged and entered in one go, so that two that were waiting do not take the same room
        const most = Math.max(room, ...this.#rooms.values())
        if (this.#runs.size === 0 || this.#roomOf(this.#runs.size + 1) >= most) return this.#enter(room)
        await untilAborted(new Promise<void>((resolve) => this.#waiting.add(resolve)), signal, 'run')
      }
    } finally {
      this.#beginning--
    }
  }

  /** A task of a run is done. */
  finish(run: string, index: number): void {
    this.#runs.get(run)?.add(index)
  }

  /** A run has ended: nothing of it is in memory. */
  end(run: string): void {
    this.#runs.delete(run)
    this.#rooms.delete(run)
    this.residency.budget = this.#roomOf(Math.max(1, this.#runs.size))
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** Leases keys that are booked when there is room for them; one task after another, so that none takes what was made for another. */
  async lease(needs: readonly KeyNeed[], signal?: AbortSignal): Promise<KeyLease | undefined> {
    const { keys } = this.options
    if (!keys || needs.length === 0) return undefined
    const asked = this.#leasing.then(() => this.#leaseInRoom(keys, needs, signal))
    this.#leasing = asked.then(
      () => undefined,
      () => undefined,
    )
    return (await asked).lease
  }

  async #leaseInRoom(
    keys: KeyStore,
    needs: readonly KeyNeed[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly lease: Promise<KeyLease> }> {
    for (;;) {
      // booked until the store has booked them itself, so that nothing is fetched into their room
      const missing = missingBytes(keys, needs)
      const reserved = this.residency.reserve(missing)
      try {
        await this.residency.makeRoom(0)
        // unless what was there has made room for keys that were fetched meanwhile
        if (missingBytes(keys, needs) <= missing) return { lease: keys.acquire(needs, signal ? { signal } : {}) }
      } finally {
        reserved.release()
      }
    }
  }

  /** Weights of a task; deferred ones take less memory, and more time. */
  weightsOf({ weights }: Task, deferred: boolean): Resident[] {
    const { weights: table, figures } = this.options
    return weights.map((id) => ({
      id: weightsName(id),
      bytes: figures.weightBytes(id, deferred),
      load: (signal) => table.encode(id, { signal, deferred }),
      drop: () => table.drop(id),
    }))
  }

  /** Drops weights of a task that no later one uses. */
  async dropUnused({ weights }: Task): Promise<void> {
    for (const id of weights.map(weightsName))
      if (this.nextUse(id) === Number.POSITIVE_INFINITY) await this.residency.drop(id)
  }

  /** A run that has none beside it wants weights in the other form: what is there, and is larger or slower, is given up. */
  async changeForm(deferred: boolean): Promise<void> {
    if (this.#runs.size > 1) return
    const { weights, figures } = this.options
    for (const id of weights.idsOf(!deferred))
      if (figures.weightBytes(id, true) < figures.weightBytes(id, false)) await this.residency.drop(weightsName(id))
  }

  /** Drops weights whatever comes. */
  async dropWeights(id: WeightsId): Promise<void> {
    await this.residency.drop(weightsName(id))
  }

  /** Tasks until something is used; Infinity when no run uses it any more. */
  nextUse(id: string): number {
    const [, own, name] = /^(run\d+) (.*)$/s.exec(id) ?? [undefined, undefined, id]
    const uses = this.#uses.get(name!) ?? []
    let next = Number.POSITIVE_INFINITY
    for (const [run, done] of this.#runs) {
      if (own !== undefined && run !== own) continue
      next = Math.min(next, (uses.find((index) => !done.has(index)) ?? Number.POSITIVE_INFINITY) - done.size)
    }
    return next
  }

  #enter(room: number): string {
    const run = `run${this.#begun++}`
    this.#runs.set(run, new Set())
    this.#rooms.set(run, room)
    this.residency.budget = this.#roomOf(this.#runs.size)
    return run
  }

  /** Bytes for weights, keys and values beside the inputs of so many runs. */
  #roomOf(runs: number): number {
    const { fixed, inputBytes } = this.options.figures
    return this.#ceiling - fixed - (runs - 1) * inputBytes
  }
}

const weightsName = (id: WeightsId): string => `weights ${id}`
/** @internal */
export const valueName = (id: ValueId): string => `value ${id}`

/** Keys that nobody leases go, but for those that a task at work has booked. */
const poolOf = (keys: KeyStore, bookings: KeyBookings): Pool => ({
  get bytes() {
    return keys.residentBytes
  },
  evict: (bytes) => keys.evict(bytes, { keep: bookings.needs }),
  evicted: () => keys.evicted(),
})

const missingBytes = (keys: KeyStore, needs: readonly KeyNeed[]): number =>
  keys.bytes(...needs.filter((need) => !keys.isResident(need)))
