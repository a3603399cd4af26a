/**
 * From a model to a plan. Polynomials, layouts, levels, parameters, bootstraps; then the very circuits that will run are run
 * once on the plan engine, which tells the keys, the operation counts, memory, time and precision. What cannot be done is
 * refused here, with its reason, before any key exists.
 */
import {
  BOOTSTRAPPING_SETS,
  type BootstrappingSet,
  CancelledError,
  checkArgument,
  createDefaultCostModel,
  HeMlError,
  type KeyNeed,
  type KeyRequest,
  listKeyNeeds,
  Pacer,
  PlanError,
  UnsupportedError,
} from '@he-ml/ckks-core'
import { Model, modelCheck, unroll } from '@he-ml/model'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { sealPlan } from '../plan/plan.ts'
import type { Plan, PlanTask } from '../plan/plan-form.ts'
import { checkProgram } from '../program/check-program.ts'
import type { PlacedStep } from '../program/placed-step.ts'
import { withKeys } from '../program/with-keys.ts'
import { assertCalibrationOf } from '../ready/assert-calibration-of.ts'
import type { ActivationOptions } from '../ready/calibrate-activations.ts'
import type { Calibration } from '../ready/calibration.ts'
import { modelDigest } from '../ready/model-digest.ts'
import { type PreparedModel, prepareModel, withSuited } from '../ready/prepare-model.ts'
import { valueRanges } from '../ready/value-ranges.ts'
import { placements } from './bootstrapped.ts'
import { checkOptions } from './check-options.ts'
import { isSure, unsure } from './decisions.ts'
import { COMPILE_DEFAULTS } from './defaults.ts'
import { findConstants } from './find-constants.ts'
import { chooseFunctional, refreshesItself } from './functional.ts'
import { gib } from './gib.ts'
import { assertMemoryPossible } from './least-memory.ts'
import { type Chosen, chooseLeveled } from './leveled.ts'
import { oneByOne } from './one-by-one.ts'
import type { CompileOptions } from './options.ts'
import { type PackedOptions, packingsFor } from './packings.ts'
import { allowedSets } from './refresh-sets.ts'
import { assertPrecision } from './relative-precision.ts'
import { type Simulated, simulate, type TaskFigures } from './simulate.ts'

/**
 * Makes a plan.
 *
 * @throws PlanError with reason 'levels', 'security', 'memory', 'range', 'shape', 'precision' or 'constant'
 * @throws UnsupportedError when a layer cannot run on the packing; ParameterMismatchError for the calibration of another model
 * @example
 * ```ts
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const { report, keyRequest } = await compile(model, { scaleBits: 34 })
 * console.log(report.depth, report.precisionBits, report.securityMarginBits, keyRequest)
 * ```
 */
export async function compile(model: Model, options: CompileOptions = {}): Promise<Plan> {
  return (await compileAndBind(model, options)).plan
}

/**
 * The same, bound to the model already.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compileAndBind } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const { plan, parameters, program } = await compileAndBind(model, { packing: 'batch', batch: 8 })
 * assert.equal(plan.batch, 8)
 * console.log(parameters.logN, program.tasks.length)
 * ```
 */
export async function compileAndBind(model: Model, options: CompileOptions = {}): Promise<BoundPlan> {
  checkArgument('compile', 'model', model, modelCheck.model)
  checkOptions(options)
  const { onProgress } = options
  onProgress?.('polynomials', 0)
  const draft = draftOf(model, options)
  onProgress?.('polynomials', 1)
  let best: BoundPlan | undefined
  let refused: HeMlError | undefined
  for (const { forMemory, ...packed } of packingsFor(options, model.inputShape.length)) {
    if (forMemory && !(refused instanceof PlanError && refused.reason === 'memory')) continue
    try {
      pacerOf(options).check()
      onProgress?.('placement', 0)
      const made = await compilePacked({ ...draft, options: { ...options, ...packed } })
      if (!best || made.plan.report.seconds < best.plan.report.seconds) best = made
    } catch (error) {
      if (!(error instanceof HeMlError) || error instanceof CancelledError) throw error
      // what a plan lacks says more than that a packing is not possible, and the second choice lacks less memory
      if (forMemory || !refused || refused instanceof UnsupportedError) refused = error
      else if (error instanceof PlanError && !(refused instanceof PlanError)) refused = error
    }
  }
  if (best) return best
  throw refused
}

/** On the packing that the options name. */
async function compilePacked(draft: Draft): Promise<BoundPlan> {
  const { options } = draft
  const { bootstrapping = 'auto' } = options
  if (refreshesItself(draft.prepared.ready)) return compileFunctional(draft)
  if (bootstrapping === 'always' || typeof bootstrapping === 'object') return compileBootstrapped(draft)
  const possible = bootstrapping === 'auto' && !options.parameters && !options.request
  let logN = LARGE_RING
  try {
    const chosen = chooseLeveled(draft.prepared.ready, options)
    logN = chosen.parameters.logN
    const leveled = await finish(draft, chosen)
    return possible && logN >= LARGE_RING ? await faster(leveled, draft) : leveled
  } catch (error) {
    if (!possible || !(error instanceof PlanError) || !mayBootstrap(error, logN, options)) throw error
    return compileBootstrapped(draft).catch((other: unknown) => {
      if (!(other instanceof PlanError)) throw other
      const reason = other.reason === 'memory' ? 'memory' : error.reason
      throw new PlanError(reason, `${error.message}; and with bootstrapping: ${other.message}`, { cause: other })
    })
  }
}

/** Margins of fresh inputs that sets are designed for, one after the other: values of a network bring errors along. */
const MARGINS = [5.6, 8, 11, 16, 22.5, 32, 45, 64, 90, 128] as const

/** Layers that refresh what they compute leave nothing else to bootstrap. */
async function compileFunctional(draft: Draft): Promise<BoundPlan> {
  const { prepared, options } = draft
  const { functional = {} } = options
  const isGiven = functional.margin !== undefined || functional.set !== undefined
  let refused: PlanError | undefined
  let surest = 0
  // several margins may have the same set
  const tried = new Set<string>()
  for (const margin of isGiven ? [functional.margin] : MARGINS) {
    const wanted = { ...options, functional: { ...functional, ...(margin === undefined ? {} : { margin }) } }
    try {
      const chosen = await chooseFunctional(prepared.ready, wanted, costModelOf(options))
      if (tried.has(chosen.parameters.id)) continue
      tried.add(chosen.parameters.id)
      const made = await finishBest(draft, chosen)
      const { decisionMargin = Number.POSITIVE_INFINITY } = made.plan.report
      if (isSure(decisionMargin)) return made
      surest = Math.max(surest, decisionMargin)
    } catch (error) {
      if (isGiven || !(error instanceof PlanError)) throw error
      // no set for more than what left too little before: that says more
      if (error.reason !== 'precision') throw surest > 0 ? unsure(surest, options) : (refused ?? error)
      refused = error
    }
  }
  throw refused ?? unsure(surest, options)
}

/** Whether bootstraps may help where a leveled plan was refused. Levels that a large ring keeps for a whole network take memory, too. @internal */
export const mayBootstrap = ({ reason }: PlanError, logN: number, { calibration }: CompileOptions): boolean =>
  ['security', 'levels'].includes(reason) || (reason === 'memory' && logN >= LARGE_RING && calibration !== undefined)

/** log2 of the ring degree from which on a bootstrapping set has no larger ring, and may be faster for its fewer levels. */
const LARGE_RING = 16

/** The leveled plan, or one with bootstraps that takes less time. */
async function faster(leveled: BoundPlan, draft: Draft): Promise<BoundPlan> {
  if (draft.options.calibration === undefined) return leveled
  const { seconds } = leveled.plan.report
  const other = await compileBootstrapped(draft, { below: seconds }).catch((error: unknown) => {
    if (!(error instanceof HeMlError) || error instanceof CancelledError) throw error
    return undefined
  })
  return other && other.plan.report.seconds < seconds ? other : leveled
}

/** What a plan is made of before parameters are chosen. */
export interface Draft {
  readonly model: Model
  /** Of the model. */
  readonly digest: string
  readonly prepared: PreparedModel
  readonly activation: ActivationOptions
  readonly options: PackedOptions
}

/** Polynomials and folding, for the first packing that the options allow. @throws PlanError ('range') without calibration; ParameterMismatchError for another model's */
export function draftOf(model: Model, options: CompileOptions): Draft {
  const { degree, margin, method } = COMPILE_DEFAULTS
  const activation: ActivationOptions = { degree, margin, method, ...options.activation }
  const digest = modelDigest(model)
  if (options.calibration) assertCalibrationOf(options.calibration, model.name, digest)
  const [packed] = packingsFor(options, model.inputShape.length) as [PackedOptions]
  return {
    model,
    digest,
    prepared: prepareModel(model, options.calibration, activation),
    activation,
    options: { ...options, ...packed },
  }
}

export interface BootstrappedOptions {
  /** Default: those that the options allow. */
  readonly sets?: readonly BootstrappingSet[]
  /** Seconds that a plan must take less than. */
  readonly below?: number
}

/** @throws PlanError when there is none */
export async function compileBootstrapped(
  draft: Draft,
  { sets: given, below }: BootstrappedOptions = {},
): Promise<BoundPlan> {
  const { prepared, activation, options } = draft
  const { ready, sizes } = prepared
  const ranges = valueRanges(ready, sizes, activation)
  const costModel = costModelOf(options)
  const sets = given ?? (await allowedSets(ready, options, costModel))
  if (sets.length === 0) throw noSet(options)
  let refused: PlanError | undefined
  const limits = below === undefined ? {} : { below }
  for await (const chosen of placements({ model: ready, sets, ranges, options, costModel, ...limits })) {
    try {
      return await finishBest(draft, chosen)
    } catch (error) {
      if (!(error instanceof PlanError) || error.reason !== 'memory') throw error
      refused = error
    }
  }
  throw refused ?? new PlanError('levels', 'no placement of bootstraps')
}

const noSet = ({ scaleBits, logN }: CompileOptions): PlanError =>
  new PlanError(
    'levels',
    `no bootstrapping set has a scale of ${scaleBits ?? COMPILE_DEFAULTS.scaleBits} bits${logN === undefined ? '' : ` at logN ${logN}`}: lower the option scaleBits, or name one of ${Object.keys(BOOTSTRAPPING_SETS).join(', ')} in the option bootstrapping.set`,
  )

/** With bootstraps in lock step, unless weights could be kept, or it fits at all, only without. @throws PlanError ('memory') */
async function finishBest(draft: Draft, chosen: Chosen): Promise<BoundPlan> {
  const alone = draft.options.memory === undefined ? undefined : oneByOne(chosen)
  if (!alone) return finish(draft, chosen)
  const together = await finish(draft, chosen).catch((error: unknown) => {
    if (!(error instanceof PlanError) || error.reason !== 'memory') throw error
    return undefined
  })
  if (together && (together.plan.keepWeights || draft.options.keepWeights === false)) return together
  const other = await finish(draft, alone)
  return together && !other.plan.keepWeights ? together : other
}

/** Simulates, checks memory, and puts everything together. @throws PlanError ('memory') */
async function finish({ model, digest, prepared, activation, options }: Draft, chosen: Chosen): Promise<BoundPlan> {
  const { parameters, network, steps, program, batch, bootstrapping, functional } = chosen
  const { ready, sizes, decided } = withSuited(prepared, network.suited)
  checkProgram(program)
  assertMemoryPossible(network, parameters, options.memory, levelsOf(steps))
  const constant = findConstants(withoutInputGrid(unroll(model)), network)
  const { figures, ...simulated } = await simulate(program, parameters, costModelOf(options), {
    sizes,
    model: ready,
    ...(options.memory === undefined ? {} : { memory: options.memory }),
    pacer: pacerOf(options),
    onProgress: (fraction) => options.onProgress?.('estimate', fraction),
  })
  options.onProgress?.('estimate', 1)
  const keepWeights = chooseKeeping(simulated.report, options)
  const precision = assertPrecision(simulated.report, options)
  const needs = listKeyNeeds(simulated.keyRequest as KeyRequest)
  const tasks = steps.map((step, i) => planTask(step, figures[i]!, needs))
  const plan = sealPlan({
    format: 'he-ml/plan',
    version: 1,
    model: {
      name: model.name,
      digest,
      input: [...model.inputShape],
      output: [...model.shapes.get(model.output)!],
    },
    packing: options.packing,
    batch,
    parameters: JSON.parse(JSON.stringify(parameters)) as Plan['parameters'],
    activation: JSON.parse(JSON.stringify(activation)) as Plan['activation'],
    decided,
    gaps: network.gaps,
    tile: network.tile,
    pairs: network.pairs,
    tasks,
    keepWeights,
    ...(bootstrapping ? { bootstrapping } : {}),
    ...(functional ? { functional } : {}),
    ...simulated,
    input: {
      ...simulated.input,
      ...framesOfInput(ready),
      ...gridOfInput(ready),
      ...inputRange(options.calibration, activation.margin),
    },
    report: {
      ...simulated.report,
      ...(precision ? { outputPrecisionBits: precision } : {}),
      ...(constant.length > 0 ? { constantOutputs: constant } : {}),
    },
  })
  const keys = tasks.map((task) => task.keys.map((index) => needs[index]!))
  return { plan, parameters, model: ready, program: withKeys(program, keys) }
}

const levelsOf = (steps: readonly PlacedStep[]): ReadonlyMap<string, number> =>
  new Map(steps.flatMap((step) => ('layer' in step ? [[step.layer, step.level] as const] : [])))

/** A step with what was found of it. */
function planTask(step: PlacedStep, { keys, workBytes }: TaskFigures, needs: readonly KeyNeed[]): PlanTask {
  const isNeed = (used: KeyNeed) => (need: KeyNeed) =>
    need.kind === used.kind && (need.kind !== 'rotation' || need.steps === (used as typeof need).steps)
  const indices = keys.map((used) => needs.findIndex(isNeed(used)))
  return { ...step, keys: indices, workBytes }
}

/**
 * Whether runs keep their weights: where that fits, unless the options say otherwise.
 * @throws PlanError ('memory') when no allowed way of running fits
 */
function chooseKeeping({ memory, keys }: Simulated['report'], { memory: limit, keepWeights }: CompileOptions): boolean {
  const { peakBytes, leanPeakBytes, weightBytes } = memory
  const keeping = keepWeights ?? (limit === undefined || peakBytes <= limit)
  const peak = keeping ? peakBytes : leanPeakBytes
  if (limit === undefined || peak <= limit) return keeping
  throw new PlanError(
    'memory',
    `the plan needs about ${gib(peak)}${keeping ? '' : ' with weights dropped after use'} (keys ${gib(keys.bytes)}, weights ${gib(weightBytes)}), the limit is ${gib(limit)}: lower the option batch or the option activation.degree, or raise the option memory`,
  )
}

/** How many frames an input has, where each time step has its own. */
const framesOfInput = ({ inputForm: { frames } }: Model): Pick<Plan['input'], 'frames'> =>
  frames === undefined ? {} : { frames }

/** The same layers on any input: on few values, not all would show in a derivative. */
function withoutInputGrid({ name, input: { grid: _, ...input }, nodes, output, states, steps, readout }: Model): Model {
  return new Model({ name, input, nodes, output, states, steps, readout })
}

/** What clients round to, where the model reads few values. */
const gridOfInput = ({ input: { grid } }: Model): Pick<Plan['input'], 'grid'> =>
  grid ? { grid: { step: grid.step, count: grid.count } } : {}

/** The range that was seen, as much wider as the ranges of activations are. */
function inputRange(calibration: Calibration | undefined, margin: number): Pick<Plan['input'], 'range'> {
  const seen = calibration?.inputRange
  if (!seen) return {}
  const more = ((margin - 1) * (seen.max - seen.min)) / 2
  return { range: { min: seen.min - more, max: seen.max + more } }
}

const costModelOf = ({ costModel }: CompileOptions) => costModel ?? createDefaultCostModel({ threads: 1 })

const pacerOf = ({ signal }: CompileOptions): Pacer => new Pacer('compile', signal ? { signal } : {})
