/** Whether the plan can run with these keys in the memory that is allowed: said when they are opened, not in the middle of a run. */
import { type CiphertextStore, type Engine, type KeyStore, MemoryError } from '@he-ml/ckks-core'
import { type BoundPlan, Runner } from '@he-ml/pipeline'

/**
 * What runs the plan with them.
 *
 * @throws MemoryError when `memory` is below what any run takes, or the store's budget below the keys of a single task, naming both
 *   numbers; MissingKeyError for keys that are not in the store
 */
export function judgeKeys(
  bound: BoundPlan,
  engine: Engine,
  keys: KeyStore,
  { memory, spill }: { readonly memory?: number; readonly spill?: CiphertextStore },
): Runner {
  const runner = new Runner(bound, engine, { keys, ...(spill ? { spill } : {}) })
  if (memory !== undefined && !(memory >= runner.leastMemory))
    throw new MemoryError(
      `openKeys: a run of this plan takes ${runner.leastMemory} bytes at least, ${memory} are allowed: allow more, or plan with a smaller batch or ring`,
    )
  const tasks = bound.program.tasks.map(({ id, keys: needs }) => ({ id, bytes: keys.bytes(...needs) }))
  const most = tasks.reduce((a, b) => (b.bytes > a.bytes ? b : a), { id: '', bytes: 0 })
  if (most.bytes > keys.budget)
    throw new MemoryError(
      `openKeys: "${most.id}" needs keys of ${most.bytes} bytes at once, the budget for keys is ${keys.budget} bytes: raise it to ${most.bytes} at least, or plan with a smaller ring`,
    )
  return runner
}
