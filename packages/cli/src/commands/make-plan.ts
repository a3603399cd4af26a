/** What he-ml plan makes of a model: one plan; or, of a spiking network, one with exact and one with soft steps, and the faster that answers alike. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { isCalibrated, type Model } from '@he-ml/model'
import {
  type CompileOptions,
  compileAndBind,
  compileCheapest,
  type Plan,
  type SimulationReport,
  simulate,
} from '@he-ml/pipeline'
import { readModel } from '../files/model-file.ts'
import { callerWords } from '../terminal/caller-words.ts'
import type { Judges } from './plan-samples.ts'

/** How spiking networks may decide. */
const WAYS = ['functional', 'polynomial'] as const

export interface Planned {
  readonly plan: Plan
  /** Absent without samples. */
  readonly simulation?: SimulationReport | undefined
  /** How many of its samples were calibrated on as well. */
  readonly known?: number | undefined
  /** What became of each way, for the reader; empty where there was one. */
  readonly lines: readonly string[]
}

type JudgedOptions = CompileOptions & Judges & { readonly signal: AbortSignal }

/** One plan, and what it does to the samples. */
export async function planAndSimulate(
  model: Model,
  { samples, labels, known, ...options }: JudgedOptions,
): Promise<Planned> {
  const { signal } = options
  const bound = await compileAndBind(model, options)
  const judged = samples.length > 0 && bound.model.nodes.some(({ layer }) => isCalibrated(layer))
  const simulation = judged
    ? await simulate(bound, model, samples, { signal, ...(labels ? { labels } : {}) })
    : undefined
  return { plan: bound.plan, simulation, known, lines: [] }
}

/**
 * @param models the same network for each way, as {@link readWays} gives them
 * @throws InvalidArgumentError without samples; what `compileCheapest` does
 */
export async function planCheapest(
  models: Readonly<Record<string, Model>>,
  { samples, labels, known, ...options }: JudgedOptions,
): Promise<Planned> {
  if (samples.length === 0)
    throw new InvalidArgumentError(
      '--step cheapest judges each step by images: give --data, and --simulate of at least 1',
    )
  const { name, bound, judged, simulation } = await compileCheapest(models, {
    ...options,
    samples,
    ...(labels ? { labels } : {}),
  })
  const lines = judged.map((way) =>
    'refused' in way
      ? `step ${way.name}: not possible: ${callerWords(way.refused.message)}`
      : `step ${way.name}: about ${way.seconds.toFixed(2)} s, ${(100 * way.agreement).toFixed(1)} % of ${samples.length} samples answered as in the clear${way.name === name ? '; chosen' : ''}`,
  )
  return { plan: bound.plan, simulation, known, lines }
}

/** @throws InvalidArgumentError for a network without spiking neurons; whatever reading throws */
export async function readWays(path: string): Promise<Record<string, Model>> {
  const models = await Promise.all(WAYS.map(async (way) => [way, await readModel(path, way)] as const))
  if (models.every(([, { states }]) => states.length === 0))
    throw new InvalidArgumentError(`${path}: --step cheapest is for spiking networks: leave it out`)
  return Object.fromEntries(models)
}
