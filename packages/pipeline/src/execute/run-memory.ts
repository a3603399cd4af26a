/** The values of one run, and the keys that its tasks lease, within the memory that it shares with others. */
import { type KeyPrefetch, MemoryError, type SpilledCiphertexts, untilAborted } from '@he-ml/ckks-core'
import { inputIds } from '../program/program.ts'
import type { Task } from '../program/task.ts'
import type { ValueId } from '../program/value.ts'
import type { Held, Resident } from './residency.ts'
import { type TaskMemory, valueName } from './task-memory.ts'
import type { ValueTable } from './value-table.ts'

/** A value of one of several runs. */
const ownName = (run: string, id: ValueId): string => `${run} ${valueName(id)}`

/** See above. */
export class RunMemory {
  readonly #memory: TaskMemory
  readonly #run: string
  readonly #values: ValueTable
  readonly #deferred: boolean
  readonly #spilled = new Map<ValueId, SpilledCiphertexts>()
  #announced: KeyPrefetch | undefined
  #output: Held | undefined

  /**
   * @param run what {@link TaskMemory.begin} gave
   * @param deferred whether weights are encoded as coefficients
   */
  constructor(memory: TaskMemory, run: string, values: ValueTable, deferred = false) {
    this.#memory = memory
    this.#run = run
    this.#values = values
    this.#deferred = deferred
  }

  /** Whether a task could start beside what runs already. */
  fits(task: Task): boolean {
    const { residency, options } = this.#memory
    return residency.fits(
      this.#needs(task),
      options.figures.workBytes(task) + this.#memory.bookings.bytesWith(task.keys),
    )
  }

  /**
   * Everything that a task needs, in memory until it is released. While others hold too much it waits for them.
   * @throws MemoryError when it does not fit; MissingKeyError; CancelledError; whatever encoding and loading throw
   */
  async hold(task: Task, signal?: AbortSignal): Promise<Held> {
    const { residency, options } = this.#memory
    while (!this.fits(task)) {
      if (!residency.busy) throw this.#tooSmall(task)
      await untilAborted(residency.released(), signal, 'run')
    }
    const unbook = this.#memory.bookings.book(task.keys)
    const holding = residency.hold(this.#needs(task), options.figures.workBytes(task), signal)
    const [held, lease] = await Promise.allSettled([holding, this.#memory.lease(task.keys, signal)])
    const release = (): void => {
      if (held.status === 'fulfilled') held.value.release()
      if (lease.status === 'fulfilled') lease.value?.dispose()
      unbook()
    }
    if (held.status === 'fulfilled' && lease.status === 'fulfilled') return { release }
    release()
    throw held.status === 'rejected' ? held.reason : (lease as PromiseRejectedResult).reason
  }

  /** Encodes weights of a task that comes soon. */
  async prefetch(task: Task, signal?: AbortSignal): Promise<void> {
    for (const weights of this.#memory.weightsOf(task, this.#deferred))
      await this.#memory.residency.prefetch(weights, signal)
  }

  /** Books values that a task wrote, or a checkpoint gave back; they stay in memory until they are released. */
  wrote(ids: readonly ValueId[]): Promise<Held> {
    const { residency, options } = this.#memory
    return residency.adopt(
      ids.map((id) => this.#resident(id)),
      options.spill === undefined,
    )
  }

  /** Strikes off a value that nobody reads any more; nothing moves it when this resolves. */
  async died(id: ValueId): Promise<void> {
    await this.#memory.residency.forget(ownName(this.#run, id))
    const spilled = this.#spilled.get(id)
    this.#spilled.delete(id)
    if (spilled) await this.#memory.options.spill!.drop(spilled)
  }

  /**
   * Brings the output into memory, where it stays. While others hold too much it waits for them.
   * @throws CancelledError; whatever restoring it throws
   */
  async holdOutput(signal?: AbortSignal): Promise<void> {
    const { residency, options, bookings } = this.#memory
    const output = [this.#resident(options.program.output.id)]
    while (residency.busy && !residency.fits(output, bookings.bytesWith([])))
      await untilAborted(residency.released(), signal, 'run')
    this.#output = await residency.hold(output, 0, signal)
  }

  /**
   * Strikes off what is left of the run; nothing moves its values when this has settled. Twice is harmless.
   * @throws whatever the store of ciphertexts throws, when all has been struck off
   */
  async end(): Promise<void> {
    this.#announced?.dispose()
    this.#output?.release()
    this.#output = undefined
    const ends = await Promise.allSettled([...this.#memory.options.program.values.keys()].map((id) => this.died(id)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  #needs(task: Task): Resident[] {
    const { program, spill } = this.#memory.options
    const brought = inputIds(program)
    const values = spill ? task.reads.flat().filter((id) => !brought.has(id)) : []
    return [...this.#memory.weightsOf(task, this.#deferred), ...values.map((id) => this.#resident(id))]
  }

  #resident(id: ValueId): Resident {
    const { figures, spill } = this.#memory.options
    return {
      id: ownName(this.#run, id),
      bytes: figures.valueBytes(id),
      load: async (signal) => this.#values.put(id, await spill!.restore(this.#spilled.get(id)!, { signal })),
      drop: async () => {
        // what was put away before never changes
        const ciphertexts = this.#values.get(id)!
        if (!this.#spilled.has(id)) this.#spilled.set(id, await spill!.spill(ciphertexts))
        for (const ciphertext of this.#values.take(id)) ciphertext.dispose()
      },
    }
  }

  /** Tells the key store what the tasks that are still to come will lease, in their order; memory that the first one needs stays free. */
  announce(tasks: readonly Task[]): void {
    const { residency, options } = this.#memory
    const { keys, figures } = options
    if (!keys) return
    const [next] = tasks
    const weights = next ? this.#memory.weightsOf(next, this.#deferred).filter(({ id }) => !residency.has(id)) : []
    const reserve = weights.reduce((sum, { bytes }) => sum + bytes, next ? figures.workBytes(next) : 0)
    const before = this.#announced
    this.#announced = keys.prefetch(
      tasks.flatMap((task) => task.keys),
      { room: () => residency.free - reserve },
    )
    before?.dispose()
  }

  #tooSmall(task: Task): MemoryError {
    const { residency, options, bookings } = this.#memory
    const weights = this.#memory.weightsOf(task, this.#deferred).reduce((sum, { bytes }) => sum + bytes, 0)
    return new MemoryError(
      `run: "${task.id}" needs ${options.figures.workBytes(task)} bytes to work with, ${weights} of weights and ${bookings.bytesWith(task.keys)} of keys beside the values that live; the budget leaves ${residency.budget}: raise it, or compile with a smaller batch or ring`,
    )
  }
}
