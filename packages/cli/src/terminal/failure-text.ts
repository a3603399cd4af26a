/** What a plan's failure bound says: it is about bootstraps alone, and about values within the ranges they were prepared for. */
import type { Plan } from '@he-ml/pipeline'

export function failureText({
  failureProbability,
  layers,
}: Pick<Plan['report'], 'failureProbability' | 'layers'>): string {
  if (!layers.some((layer) => layer.refresh)) return 'no bootstraps, so none can fail'
  if (failureProbability === 0) return 'no bootstrap can fail while values stay in range'
  return `probability below ${failureProbability.toPrecision(2)} that any bootstrap fails while values stay in range`
}
