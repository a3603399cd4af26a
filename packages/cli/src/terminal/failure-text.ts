/** What a plan's failure bound says: it is about bootstraps alone, and about values within the ranges they were prepared for. */
import type { Plan } from '@he-ml/pipeline'

/** What is smaller is said to be that. */
const LEAST = 1e-300

export function failureText({
  failureProbability,
  decisionMargin,
  layers,
}: Pick<Plan['report'], 'failureProbability' | 'decisionMargin' | 'layers'>): string {
  if (decisionMargin !== undefined)
    return `neurons decide ${decisionMargin.toFixed(1)} standard deviations from a wrong spike, which, charges beyond their points included, has a probability below ${Math.max(LEAST, failureProbability).toPrecision(1)} a run`
  if (!layers.some((layer) => layer.refresh)) return 'no bootstraps, so none can fail'
  if (failureProbability === 0) return 'no bootstrap can fail while values stay in range'
  return `probability below ${failureProbability.toPrecision(2)} that any bootstrap fails while values stay in range`
}
