import { inputIds, lastReads } from '../program/program.ts'
import type { Task } from '../program/task.ts'
import type { TaskMemoryOptions } from './memory-figures.ts'

/** The task of a program that needs most, and how much that is. */
export interface LeastRoom {
  readonly task: Task
  /** Bytes of weights, keys and values, what is there all the time left out. */
  readonly bytes: number
}

/**
 * The least room in which a program runs, one task after another: everything that can go has gone. Without a store for ciphertexts
 * whatever a later task reads stays; without one for keys these count as what is there all the time.
 *
 * @param deferred whether weights are kept as coefficients, which takes less
 */
export function leastRoom(
  { program, figures, keys, spill }: Omit<TaskMemoryOptions, 'weights'>,
  deferred = true,
): LeastRoom {
  const last = lastReads(program)
  const inputs = inputIds(program)
  const alive = new Set<string>()
  let most: LeastRoom | undefined
  for (const [index, task] of program.tasks.entries()) {
    const values = new Set(spill ? task.reads.flat() : alive)
    for (const id of inputs) values.delete(id)
    let bytes = figures.workBytes(task) + (keys?.bytes(...task.keys) ?? 0)
    for (const id of new Set(task.weights)) bytes += figures.weightBytes(id, deferred)
    for (const id of values) bytes += figures.valueBytes(id)
    if (most === undefined || bytes > most.bytes) most = { task, bytes }
    for (const id of task.writes) alive.add(id)
    for (const id of alive) if ((last.get(id) ?? -1) <= index) alive.delete(id)
  }
  // a program has tasks
  return most!
}
