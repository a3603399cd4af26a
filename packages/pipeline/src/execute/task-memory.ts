/**
 * The memory of a program at work: weights, keys and values in one budget. Weights are encoded again when they are wanted again,
 * keys are leased from their store task by task, values go to a store and come back; without stores, keys and values simply count.
 */
import {
  type CiphertextStore,
  type KeyNeed,
  type KeyPrefetch,
  type KeyStore,
  MemoryError,
  type SpilledCiphertexts,
} from '@he-ml/ckks-core'
import type { Program } from '../program/program.ts'
import type { Task } from '../program/task.ts'
import type { ValueId } from '../program/value.ts'
import type { WeightsId } from '../program/weights.ts'
import { type Held, type Pool, Residency, type Resident } from './residency.ts'
import type { ValueTable } from './value-table.ts'
import type { WeightsTable } from './weights-table.ts'

/** Bytes of what a program uses. */
export interface MemoryFigures {
  readonly weights: Readonly<Record<WeightsId, number>>
  /** What a task adds while it runs, its results included. */
  workBytes(task: Task): number
  valueBytes(id: ValueId): number
  /** What is there all the time: keys without a source, scratch, inputs. */
  readonly fixed: number
}

export interface TaskMemoryOptions {
  readonly program: Program
  readonly weights: WeightsTable
  readonly figures: MemoryFigures
  /** Where keys come from; without it the engine has them all. */
  readonly keys?: KeyStore
  /** Where values go when memory is short. */
  readonly spill?: CiphertextStore
}

/** Weights and keys, which outlive a run; its values see {@link RunMemory}. */
export class TaskMemory {
  readonly options: TaskMemoryOptions
  readonly residency: Residency
  readonly #uses = new Map<string, number[]>()
  readonly #done = new Set<number>()

  constructor(options: TaskMemoryOptions) {
    const { program, keys } = options
    this.options = options
    this.residency = new Residency({
      ...(keys ? { pool: poolOf(keys) } : {}),
      nextUse: (id) => this.nextUse(id),
    })
    for (const [index, { weights, reads }] of program.tasks.entries())
      for (const id of [...weights.map(weightsName), ...reads.flat().map(valueName)])
        this.#uses.set(id, [...(this.#uses.get(id) ?? []), index])
  }

  /**
   * A run begins.
   * @param budget bytes for everything
   * @param done tasks that are done already
   */
  restart(budget: number, done: Iterable<number>): void {
    this.residency.budget = budget - this.options.figures.fixed
    this.#done.clear()
    for (const index of done) this.#done.add(index)
  }

  finish(index: number): void {
    this.#done.add(index)
  }

  /** Weights of a task. */
  weightsOf({ weights }: Task): Resident[] {
    const { weights: table, figures } = this.options
    return weights.map((id) => ({
      id: weightsName(id),
      bytes: figures.weights[id] ?? 0,
      load: (signal) => table.encode(id, signal),
      drop: () => table.drop(id),
    }))
  }

  /** Drops weights of a task that no later one uses. */
  async dropUnused({ weights }: Task): Promise<void> {
    for (const id of weights.map(weightsName))
      if (this.nextUse(id) === Number.POSITIVE_INFINITY) await this.residency.drop(id)
  }

  /** Drops weights whatever comes. */
  async dropWeights(id: WeightsId): Promise<void> {
    await this.residency.drop(weightsName(id))
  }

  /** Index of the next task of this run that uses something; Infinity when none does. */
  nextUse(id: string): number {
    return this.#uses.get(id)?.find((index) => !this.#done.has(index)) ?? Number.POSITIVE_INFINITY
  }
}

const weightsName = (id: WeightsId): string => `weights ${id}`
const valueName = (id: ValueId): string => `value ${id}`
const keyName = (need: KeyNeed): string => (need.kind === 'rotation' ? `rotation by ${need.steps}` : need.kind)

const poolOf = (keys: KeyStore): Pool => ({
  get bytes() {
    return keys.residentBytes
  },
  evict: (bytes) => keys.evict(bytes),
})

/** The values of one run, and the keys it leases, within that memory. */
export class RunMemory {
  readonly #memory: TaskMemory
  readonly #values: ValueTable
  readonly #spilled = new Map<ValueId, SpilledCiphertexts>()
  /** Leases by key, of all tasks that run. */
  readonly #leased = new Map<string, { readonly bytes: number; count: number }>()
  #announced: KeyPrefetch | undefined

  constructor(memory: TaskMemory, values: ValueTable) {
    this.#memory = memory
    this.#values = values
  }

  /** Whether a task could start beside what runs already. */
  fits(task: Task): boolean {
    const { residency, options } = this.#memory
    return residency.fits(this.#needs(task), options.figures.workBytes(task) + this.#leasedWith(task))
  }

  /**
   * Everything that a task needs, in memory until it is released.
   * @throws MemoryError when it does not fit; MissingKeyError; CancelledError; whatever encoding and loading throw
   */
  async hold(task: Task, signal?: AbortSignal): Promise<Held> {
    const { residency, options } = this.#memory
    if (!this.fits(task)) throw this.#tooSmall(task)
    const returnKeys = await this.#lease(task, signal)
    try {
      const held = await residency.hold(this.#needs(task), options.figures.workBytes(task), signal)
      return {
        release: () => {
          held.release()
          returnKeys()
        },
      }
    } catch (error) {
      returnKeys()
      throw error
    }
  }

  /** Makes ready what the next tasks need, the nearest first: weights of the first of them, keys of all that have room. */
  async prefetch(tasks: readonly Task[], signal?: AbortSignal): Promise<void> {
    this.#announceKeys(tasks)
    for (const task of tasks.slice(0, 1))
      for (const weights of this.#memory.weightsOf(task)) await this.#memory.residency.prefetch(weights, signal)
  }

  /** Books a value that a task wrote, or a checkpoint gave back. */
  wrote(id: ValueId): Promise<void> {
    const { residency, options } = this.#memory
    return residency.adopt(this.#resident(id), options.spill === undefined)
  }

  /** Strikes off a value that nobody reads any more. */
  async died(id: ValueId): Promise<void> {
    this.#memory.residency.forget(valueName(id))
    const spilled = this.#spilled.get(id)
    this.#spilled.delete(id)
    if (spilled) await this.#memory.options.spill!.drop(spilled)
  }

  /** Ends the run: strikes off what is left of it. */
  async end(): Promise<void> {
    this.#announced?.dispose()
    for (const id of this.#memory.options.program.values.keys()) await this.died(id)
  }

  #needs(task: Task): Resident[] {
    const { program, spill } = this.#memory.options
    const values = spill ? task.reads.flat().filter((id) => id !== program.input.id) : []
    return [...this.#memory.weightsOf(task), ...values.map((id) => this.#resident(id))]
  }

  #resident(id: ValueId): Resident {
    const { figures, spill } = this.#memory.options
    return {
      id: valueName(id),
      bytes: figures.valueBytes(id),
      load: async () => this.#values.put(id, await spill!.restore(this.#spilled.get(id)!)),
      drop: async () => {
        // what was put away before never changes
        const ciphertexts = this.#values.get(id)!
        if (!this.#spilled.has(id)) this.#spilled.set(id, await spill!.spill(ciphertexts))
        for (const ciphertext of this.#values.take(id)) ciphertext.dispose()
      },
    }
  }

  async #lease({ keys: needs }: Task, signal: AbortSignal | undefined): Promise<() => void> {
    const { residency, options } = this.#memory
    const { keys } = options
    if (!keys || needs.length === 0) return () => undefined
    await residency.makeRoom(missingBytes(keys, needs))
    const lease = await keys.acquire(needs, signal ? { signal } : {})
    for (const need of needs) {
      const known = this.#leased.get(keyName(need)) ?? { bytes: keys.bytes(need), count: 0 }
      known.count++
      this.#leased.set(keyName(need), known)
    }
    return () => {
      lease.dispose()
      for (const name of needs.map(keyName)) if (--this.#leased.get(name)!.count === 0) this.#leased.delete(name)
    }
  }

  /** Bytes of all keys that would be leased if the task ran too. */
  #leasedWith({ keys: needs }: Task): number {
    const { keys } = this.#memory.options
    if (!keys) return 0
    const others = needs.filter((need) => !this.#leased.has(keyName(need)))
    return [...this.#leased.values()].reduce((sum, { bytes }) => sum + bytes, keys.bytes(...others))
  }

  #announceKeys(tasks: readonly Task[]): void {
    const { residency, options } = this.#memory
    const { keys } = options
    if (!keys) return
    const announced: KeyNeed[] = []
    for (const { keys: needs } of tasks) {
      const together = missingBytes(keys, [...announced, ...needs])
      if (together > residency.free) keys.evict(Math.max(0, keys.residentBytes - (together - residency.free)))
      if (together > residency.free) break
      announced.push(...needs)
    }
    const before = this.#announced
    this.#announced = keys.prefetch(announced)
    before?.dispose()
  }

  #tooSmall(task: Task): MemoryError {
    const { residency, options } = this.#memory
    const weights = this.#memory.weightsOf(task).reduce((sum, { bytes }) => sum + bytes, 0)
    return new MemoryError(
      `run: "${task.id}" needs ${options.figures.workBytes(task)} bytes to work with, ${weights} of weights and ${this.#leasedWith(task)} of keys beside the values that live; the budget leaves ${residency.budget}: raise it, or compile with a smaller batch or ring`,
    )
  }
}

const missingBytes = (keys: KeyStore, needs: readonly KeyNeed[]): number =>
  keys.bytes(...needs.filter((need) => !keys.isResident(need)))
