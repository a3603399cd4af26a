import { FormatError, type KeyNeed } from '@he-ml/ckks-core'
import type { Program } from './program.ts'

/**
 * The program with the keys of every task.
 * @param keys one list for each task, in their order
 * @throws FormatError when there are more or fewer lists than tasks
 */
export function withKeys(program: Program, keys: readonly (readonly KeyNeed[])[]): Program {
  if (keys.length !== program.tasks.length)
    throw new FormatError(`plan: it tells the keys of ${keys.length} tasks, ${program.tasks.length} are there`)
  return { ...program, tasks: program.tasks.map((task, i) => ({ ...task, keys: keys[i]! })) }
}
