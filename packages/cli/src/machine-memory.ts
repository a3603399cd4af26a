import { totalmem } from 'node:os'
import type { Plan } from '@he-ml/pipeline'

/** Bytes of memory that this process may ever have: the machine's, or what its control group allows. */
export function machineMemory(): number {
  const allowed = process.constrainedMemory?.() ?? 0
  // without a limit the system answers 0 or an absurdly large number
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()
}

/** Peak of a run on the command line, which drops weights after use. */
export const peakOf = ({ report: { memory } }: Plan): number => memory.leanPeakBytes
