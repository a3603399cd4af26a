/** One network that can be evaluated in several ways: the plan that takes least time, of those that decide as the network does. */
import {
  CancelledError,
  checkArgument,
  checkOptions,
  HeMlError,
  InvalidArgumentError,
  type OptionChecks,
  optionCheck,
  Pacer,
  PlanError,
} from '@he-ml/ckks-core'
import { type Model, modelCheck, type Tensor } from '@he-ml/model'
import { COMPILE_OPTIONS, checkOptions as checkCompileOptions } from '../compile/check-options.ts'
import { compileAndBind } from '../compile/compile.ts'
import type { CompileOptions } from '../compile/options.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import type { Calibration } from '../ready/calibration.ts'
import { modelDigest } from '../ready/model-digest.ts'
import { answeredOtherwise } from './same-network.ts'
import { type SimulationReport, simulate } from './simulate.ts'

/** Options of {@link compileCheapest}: those of `compile`, and what the ways are judged by. */
export interface CheapestOptions extends CompileOptions {
  /** Clear samples that the ways are judged by, other ones than `fit` saw. */
  readonly samples: readonly Tensor[]
  /** The right answers to them, for the accuracies in the simulation. */
  readonly labels?: readonly number[]
  /**
   * Share of the samples, from 0 to 1, that a plan must answer as the exact network does, and this as the network of the first way. Default 0.98.
   * A plan with fewer is not chosen, however fast. 0 takes whatever is fastest.
   */
  readonly agreement?: number
  /** Called before each way is planned. */
  readonly onWay?: (name: string) => void
}

/** Beside those of `compile`. */
const OPTIONS: OptionChecks<CheapestOptions> = {
  ...COMPILE_OPTIONS,
  samples: optionCheck.list('a list of tensors', optionCheck.object),
  labels: optionCheck.list('a list of output indices'),
  agreement: optionCheck.number(0, 1),
  onWay: optionCheck.callable,
}

/** One way, as it was judged: its figures, or why it cannot run. */
export type JudgedWay = {
  /** As the caller called it. */
  readonly name: string
} & (
  | {
      /** Estimated time of one run, in seconds by the cost model. */
      readonly seconds: number
      /** Share of the samples that the plan answers as its own network does in the clear, and this as the first way's, 0 to 1. */
      readonly agreement: number
    }
  | {
      /** Why it has no plan. */
      readonly refused: HeMlError
    }
)

/** What {@link compileCheapest} chose. */
export interface Cheapest {
  /** The way that was chosen, by its name. */
  readonly name: string
  /** Its model, as given. */
  readonly model: Model
  /** Its plan, bound to the model. */
  readonly bound: BoundPlan
  /** What the plan does to the samples. */
  readonly simulation: SimulationReport
  /** All ways, in the order given. */
  readonly judged: readonly JudgedWay[]
}

/**
 * Plans each way and takes the one that takes least time, of those that answer enough of the samples as the network does (`agreement`). All are
 * judged by the samples; without some nothing is chosen. The ways must be one network: in the clear they must answer as many samples alike.
 *
 * A calibration may be that of any of them.
 *
 * @param ways models that compute the same in the clear, by name: a spiking network whose layers decide by polynomials, by functional
 *   bootstraps, or some this way and some that; a network of ReLUs with other approximations
 * @throws PlanError ('precision') when no plan answers as the exact network does on so many samples; what the first was refused for when
 *   none can run at all; InvalidArgumentError without ways or samples, for samples that are not finite, for ways that are different networks
 *   or have one output alone; CancelledError through the signal
 * @example
 * Not run: it takes a trained network and its data.
 * ```ts no-run
 * import { compileCheapest, fit } from '@he-ml/pipeline'
 * import { functionalSpikeStep, importSpikingModel, polynomialSpikeStep } from '@he-ml/snn-layers'
 * import { files, samples, training } from './digits.js'
 *
 * const soft = importSpikingModel(files, { step: polynomialSpikeStep({ width: 0.1 }) })
 * const exact = importSpikingModel(files, { step: functionalSpikeStep() })
 * const calibration = await fit(exact, training)
 * const { name, bound, judged } = await compileCheapest({ soft, exact }, { calibration, samples })
 * console.log(name, bound.plan.report.seconds, judged)
 * ```
 */
export async function compileCheapest(
  ways: Readonly<Record<string, Model>>,
  given: CheapestOptions,
): Promise<Cheapest> {
  checkOptions('compileCheapest', given, OPTIONS)
  const { samples, labels, agreement = 0.98, onWay, calibration, ...options } = given
  if (Object.keys(ways ?? {}).length === 0)
    throw new InvalidArgumentError('compileCheapest: at least one way is needed')
  for (const [name, model] of Object.entries(ways))
    checkArgument('compileCheapest', `ways.${name}`, model, modelCheck.model)
  checkCompileOptions({ ...options, ...(calibration ? { calibration } : {}) })
  if (!samples || samples.length === 0) throw new InvalidArgumentError('compileCheapest: at least one sample is needed')
  const { signal } = options
  const otherwise = await answeredOtherwise(ways, { samples, agreement, signal })
  const calibrationFor = sharedCalibration(Object.values(ways), calibration)
  const pacer = new Pacer('compileCheapest', signal ? { signal } : {})
  const judged: JudgedWay[] = []
  let best: Omit<Cheapest, 'judged'> | undefined
  for (const [name, model] of Object.entries(ways)) {
    await pacer.step()
    onWay?.(name)
    try {
      const bound = await compileAndBind(model, { ...options, ...calibrationFor(model) })
      const simulation = await simulate(bound, model, samples, {
        ...(signal ? { signal } : {}),
        ...(labels ? { labels } : {}),
      })
      const { seconds } = bound.plan.report
      const differing = new Set([...simulation.differing, ...otherwise.get(name)!])
      const reached = 1 - differing.size / samples.length
      judged.push({ name, seconds, agreement: reached })
      if (reached < agreement || (best && best.bound.plan.report.seconds <= seconds)) continue
      best = { name, model, bound, simulation }
    } catch (error) {
      if (!(error instanceof HeMlError) || error instanceof CancelledError) throw error
      judged.push({ name, refused: error })
    }
  }
  if (best) return { ...best, judged }
  throw noWay(judged, agreement)
}

/** In the clear the ways are one network, so what was seen of one is true of all. Another model's calibration is left to be refused. */
function sharedCalibration(
  models: readonly Model[],
  calibration: Calibration | undefined,
): (model: Model) => Pick<CompileOptions, 'calibration'> {
  if (!calibration) return () => ({})
  const digests = new Map(models.map((model) => [model, modelDigest(model)]))
  const isOurs = [...digests.values()].includes(calibration.modelDigest)
  return (model) => ({ calibration: isOurs ? { ...calibration, modelDigest: digests.get(model)! } : calibration })
}

function noWay(judged: readonly JudgedWay[], agreement: number): HeMlError {
  const ran = judged.flatMap((way) => ('seconds' in way ? [way] : []))
  const [first] = judged.flatMap((way) => ('refused' in way ? [way.refused] : []))
  if (ran.length === 0) return first!
  const told = ran.map(({ name, agreement: reached }) => `${name} ${(100 * reached).toFixed(1)} %`).join(', ')
  return new PlanError(
    'precision',
    `no way of evaluating the network agrees with it on ${(100 * agreement).toFixed(1)} % of the samples: ${told}; raise the option activation.degree, or lower the option agreement`,
  )
}
