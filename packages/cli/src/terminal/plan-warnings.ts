/** What a person should know of a plan before making keys for it. */
import type { Plan } from '@he-ml/pipeline'
import { leastPeakOf, peakOf } from '../machine-memory.ts'
import { bytes } from './output.ts'

/** @param available bytes that this machine has */
export function warningsOf(plan: Plan, available: number): string[] {
  const warnings: string[] = []
  const peak = peakOf(plan)
  if (peak > available) {
    const advice =
      leastPeakOf(plan) > available
        ? 'it must run on a larger one, or take a smaller batch, ring or network'
        : 'keys will be dropped and loaded again while it runs, which takes time'
    warnings.push(`a run needs about ${bytes(peak)} of memory, this machine has ${bytes(available)}: ${advice}`)
  }
  const { constantOutputs } = plan.report
  if (constantOutputs)
    warnings.push(
      `output${constantOutputs.length === 1 ? '' : 's'} ${constantOutputs.slice(0, 8).join(', ')}${constantOutputs.length > 8 ? ', ...' : ''} of ${plan.model.output.reduce((a, b) => a * b, 1)} do${constantOutputs.length === 1 ? 'es' : ''} not depend on the input: the weights are zero`,
    )
  return warnings
}
