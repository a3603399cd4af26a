/** `he-ml plan --step cheapest`: a spiking network planned with exact and with soft steps, and the faster of those that answer alike. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Model, Tensor } from '@he-ml/model'
import { type CompileOptions, compileCheapest, type Plan } from '@he-ml/pipeline'
import { readModel } from '../files/model-file.ts'

/** How spiking networks may decide. */
const WAYS = ['functional', 'polynomial'] as const

export interface CheapestPlan {
  readonly plan: Plan
  /** What became of each way, for the reader. */
  readonly lines: readonly string[]
}

/**
 * @param models the same network for each way, as {@link readWays} gives them
 * @throws what `compileCheapest` does
 */
export async function planCheapest(
  models: Readonly<Record<string, Model>>,
  {
    samples,
    signal,
    ...options
  }: CompileOptions & { readonly samples: readonly Tensor[]; readonly signal: AbortSignal },
): Promise<CheapestPlan> {
  const { name, bound, judged } = await compileCheapest(models, { ...options, samples, signal })
  const lines = judged.map((way) =>
    'refused' in way
      ? `step ${way.name}: not possible: ${way.refused.message}`
      : `step ${way.name}: about ${way.seconds.toFixed(2)} s, ${(100 * way.agreement).toFixed(1)} % of ${samples.length} samples answered as in the clear${way.name === name ? '; chosen' : ''}`,
  )
  return { plan: bound.plan, lines }
}

/** @throws InvalidArgumentError for a network without spiking neurons; whatever reading throws */
export async function readWays(path: string): Promise<Record<string, Model>> {
  const models = await Promise.all(WAYS.map(async (way) => [way, await readModel(path, way)] as const))
  if (models.every(([, { states }]) => states.length === 0))
    throw new InvalidArgumentError(`${path}: --step cheapest is for spiking networks: leave it out`)
  return Object.fromEntries(models)
}
