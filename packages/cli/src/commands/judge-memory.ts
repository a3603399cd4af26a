/** Whether a run fits the memory that it may take, judged before anything large is read. */
import { MemoryError } from '@he-ml/ckks-core'
import type { ListedKeys } from '@he-ml/ckks-core/node'
import type { Plan } from '@he-ml/pipeline'
import { leastPeakOf, machineMemory, mostAtOnce } from '../machine-memory.ts'
import { bytes } from '../terminal/output.ts'

/** What a run may take. */
export interface Ceiling {
  readonly bytes: number
  /** Who says so, and how much it is. */
  readonly said: string
}

/** @param gigabytes of --memory; without it the machine's own memory is the ceiling */
export function ceilingOf(gigabytes: number | undefined): Ceiling {
  if (gigabytes === undefined) return { bytes: machineMemory(), said: `this machine has ${bytes(machineMemory())}` }
  const allowed = Math.round(gigabytes * 1e9)
  return { bytes: allowed, said: `--memory allows ${bytes(allowed)}` }
}

/** By what the plan says of itself. @throws MemoryError */
export function assertPlanFits(plan: Plan, ceiling: Ceiling): void {
  const least = leastPeakOf(plan)
  if (least > ceiling.bytes)
    throw new MemoryError(
      `the plan expects a peak of ${bytes(least)} with no more keys than a layer needs, ${ceiling.said}: allow more with --memory, or plan with a smaller batch or ring`,
    )
}

/**
 * By what is about to be read, for the plan may come from whoever made the keys: the keys of one layer expanded to twice their files,
 * the two files that are read at a time, the inputs as a file and as ciphertexts.
 *
 * @param listed the keys of the plan's request, in its order
 * @throws MemoryError
 */
export function assertRoom(plan: Plan, { entries }: ListedKeys, inputBytes: number, ceiling: Ceiling): void {
  const sizes = entries.map((entry) => entry.bytes)
  const largest = Math.max(0, ...sizes)
  const needed = 2 * Math.max(largest, mostAtOnce(plan, sizes)) + 2 * largest + 2 * inputBytes
  if (needed > ceiling.bytes)
    throw new MemoryError(
      `keys and inputs take ${bytes(needed)} to load, ${ceiling.said}: allow more with --memory, or plan with a smaller ring`,
    )
}

/** Whether a server of several runs may keep encoded weights from one to the next. */
export const keepsWeights = ({ report: { memory } }: Plan, ceiling: Ceiling): boolean =>
  memory.peakBytes <= ceiling.bytes
