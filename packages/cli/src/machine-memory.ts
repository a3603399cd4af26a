import { totalmem } from 'node:os'
import { type KeyRequest, keyBytes, listKeyNeeds } from '@he-ml/ckks-core'
import { type Plan, parametersOf } from '@he-ml/pipeline'

/** Bytes of memory that this process may ever have: the machine's, or what its control group allows. */
export function machineMemory(): number {
  const allowed = process.constrainedMemory?.() ?? 0
  // without a limit the system answers 0 or an absurdly large number
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()
}

/** Peak of a run on the command line, which drops weights after use, where memory is not short. */
export const peakOf = ({ report: { memory } }: Plan): number => memory.leanPeakBytes

/** The same where it is short: of the keys only those of one layer at a time are there. */
export function leastPeakOf(plan: Plan): number {
  const parameters = parametersOf(plan)
  const sizes = listKeyNeeds(plan.keyRequest as KeyRequest).map((need) => keyBytes(parameters, need))
  const others = plan.report.keys.bytes - mostAtOnce(plan, sizes)
  return peakOf(plan) - Math.max(0, Math.min(others, peakOf(plan)))
}

/** The most that the keys of one task have together. @param sizes of the keys of the plan's request, in its order */
export const mostAtOnce = ({ tasks }: Plan, sizes: readonly number[]): number =>
  Math.max(0, ...tasks.map(({ keys }) => keys.reduce((sum, index) => sum + (sizes[index] ?? 0), 0)))
