/**
 * The order of work: a task starts as soon as everything it reads is done, beside others that do not need each other's results,
 * as far as the budget and the look-ahead allow. What is computed does not depend on that order, to the bit.
 */
import type { PaceOptions } from '@he-ml/ckks-core'
import { inputIds, type Program } from '../program/program.ts'
import { ProgramError } from '../program/program-error.ts'
import type { Task } from '../program/task.ts'
import type { ValueId } from '../program/value.ts'
import type { RunMemory } from './run-memory.ts'
import type { StepExecutor } from './step-executor.ts'
import type { ValueTable } from './value-table.ts'

export interface RunTasksOptions {
  readonly program: Program
  readonly executor: Pick<StepExecutor, 'run'>
  readonly values: ValueTable
  readonly memory: Pick<RunMemory, 'fits' | 'hold' | 'announce' | 'prefetch' | 'wrote' | 'died'>
  /** Indices of tasks that were done before; their values are in the table. */
  readonly done: ReadonlySet<number>
  /** Tasks that run at once at most, and how far behind the earliest that waits others are looked for. */
  readonly lookAhead: number
  /** Tasks that run at once at most, where fewer than `lookAhead` may. */
  readonly atOnce?: number
  readonly signal?: AbortSignal
  readonly onStart: (index: number) => void
  /** A task's results are there, and in memory as long as this lasts; what was awaited here is done before tasks that read them start. */
  readonly onDone: (index: number) => Promise<void>
}

/**
 * Runs all tasks that are not done.
 * @throws the first failure, when everything that had started has come to an end
 */
export async function runTasks(options: RunTasksOptions): Promise<void> {
  await new TaskQueue(options).run()
}

class TaskQueue {
  readonly #options: RunTasksOptions
  readonly #pending: number[]
  readonly #written: Set<ValueId>
  readonly #running = new Map<number, Promise<void>>()
  #prefetching: Promise<void> = Promise.resolve()

  constructor(options: RunTasksOptions) {
    const { program, done } = options
    this.#options = options
    this.#pending = [...program.tasks.keys()].filter((index) => !done.has(index))
    this.#written = new Set([...inputIds(program), ...[...done].flatMap((index) => program.tasks[index]!.writes)])
  }

  async run(): Promise<void> {
    try {
      while (this.#pending.length > 0 || this.#running.size > 0) {
        this.#start()
        await Promise.race(this.#running.values())
      }
    } finally {
      await Promise.allSettled(this.#running.values())
      await this.#prefetching
    }
  }

  /** Starts whatever can start. */
  #start(): void {
    const { program, lookAhead, atOnce = lookAhead, memory } = this.#options
    for (const index of this.#pending.slice(0, lookAhead - this.#running.size)) {
      if (this.#running.size >= atOnce) break
      const task = program.tasks[index]!
      if (!task.reads.flat().every((id) => this.#written.has(id))) continue
      if (this.#running.size > 0 && !memory.fits(task)) break
      this.#pending.splice(this.#pending.indexOf(index), 1)
      this.#running.set(
        index,
        this.#runTask(index, task).then(() => void this.#running.delete(index)),
      )
    }
    if (this.#running.size === 0)
      throw new ProgramError('order', `no task can start, ${this.#pending.length} are left: the order is wrong`)
  }

  async #runTask(index: number, task: Task): Promise<void> {
    const { executor, values, memory, signal, onStart, onDone } = this.#options
    onStart(index)
    const held = await memory.hold(task, signal)
    try {
      // keys come from elsewhere: all the time that the task takes is there for them
      memory.announce(this.#next())
      const pace: PaceOptions = signal ? { signal } : {}
      const outputs = await executor.run(task, values.read(task), pace)
      values.write(task, outputs)
      for (const id of task.reads.flat()) if (values.get(id) === undefined) await memory.died(id)
      this.#prefetch()
      await Promise.all(outputs.flatMap((tensor) => tensor.ciphertexts.map((c) => c.ready())))
    } finally {
      held.release()
    }
    values.dropUnread(task)
    const written = await memory.wrote(task.writes.filter((id) => values.get(id)))
    try {
      await onDone(index)
    } finally {
      written.release()
    }
    for (const id of task.writes) this.#written.add(id)
  }

  /** Weights of the task that comes next, which the engine encodes when it has this one's operations. */
  #prefetch(): void {
    const { memory, signal } = this.#options
    const [next] = this.#next()
    if (next) this.#prefetching = this.#prefetching.then(() => memory.prefetch(next, signal))
  }

  #next(): Task[] {
    return this.#pending.map((index) => this.#options.program.tasks[index]!)
  }
}
