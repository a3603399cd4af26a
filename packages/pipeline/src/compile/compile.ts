/**
 * From a model to a plan. Polynomials, layouts, levels, parameters, bootstraps; then the very circuits that will run are run
 * once on the plan engine, which tells the keys, the operation counts, memory, time and precision. What cannot be done is
 * refused here, with its reason, before any key exists.
 */
import { createDefaultCostModel, InvalidArgumentError, PlanError } from '@he-ml/ckks-core'
import { foldFactors, type Model } from '@he-ml/model'
import type { Calibration, ValueSize } from '../fit/fit.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { modelDigest } from '../plan/model-digest.ts'
import { type Plan, sealPlan } from '../plan/plan.ts'
import { valueRanges, valueSizes } from '../refresh/value-ranges.ts'
import { allowedSets, placements } from './bootstrapped.ts'
import { type ActivationOptions, calibrateActivations } from './calibrate-activations.ts'
import { findConstants } from './find-constants.ts'
import { assertMemoryPossible } from './least-memory.ts'
import { type Chosen, chooseLeveled } from './leveled.ts'
import type { CompileOptions } from './options.ts'
import { assertPrecision } from './relative-precision.ts'
import { simulate } from './simulate.ts'

/**
 * Makes a plan.
 *
 * @throws PlanError with reason 'levels', 'security', 'memory', 'range', 'shape', 'precision' or 'constant'
 * @throws UnsupportedError when a layer cannot run on the packing
 */
export async function compile(model: Model, options: CompileOptions = {}): Promise<Plan> {
  return (await compileAndBind(model, options)).plan
}

/** The same, bound to the model already. */
export async function compileAndBind(model: Model, options: CompileOptions = {}): Promise<BoundPlan> {
  checkOptions(options)
  const draft = draftOf(model, options)
  const { bootstrapping = 'auto' } = options
  if (bootstrapping === 'always' || typeof bootstrapping === 'object') return compileBootstrapped(draft)
  try {
    return await finish(draft, chooseLeveled(draft.ready, options))
  } catch (error) {
    const possible = bootstrapping === 'auto' && !options.parameters && !options.request
    if (!possible || !(error instanceof PlanError) || !['security', 'levels'].includes(error.reason)) throw error
    return compileBootstrapped(draft).catch((other: unknown) => {
      if (!(other instanceof PlanError)) throw other
      const reason = other.reason === 'memory' ? 'memory' : error.reason
      throw new PlanError(reason, `${error.message}; and with bootstrapping: ${other.message}`, { cause: other })
    })
  }
}

/** What a plan is made of before parameters are chosen. */
export interface Draft {
  readonly model: Model
  /** With polynomials, factors folded. */
  readonly ready: Model
  readonly activation: ActivationOptions
  /** Sizes of the values of `ready`, where the calibration tells. */
  readonly sizes: ReadonlyMap<string, ValueSize>
  readonly options: CompileOptions
}

/** Polynomials and folding. @throws PlanError ('range') without calibration */
export function draftOf(model: Model, options: CompileOptions): Draft {
  const activation: ActivationOptions = { margin: 1.15, degree: 27, ...options.activation }
  const plain = calibrateActivations(model, options.calibration, activation)
  const { model: ready, factors } = foldFactors(plain)
  return { model, ready, activation, sizes: valueSizes(plain, factors, options.calibration), options }
}

/** @param sets default: those that the options allow */
export async function compileBootstrapped(draft: Draft, sets = allowedSets(draft.options)): Promise<BoundPlan> {
  const { ready, activation, sizes, options } = draft
  const ranges = valueRanges(ready, sizes, activation)
  const costModel = costModelOf(options)
  let refused: PlanError | undefined
  for await (const chosen of placements({ model: ready, sets, ranges, options, costModel })) {
    try {
      return await finish(draft, chosen)
    } catch (error) {
      if (!(error instanceof PlanError) || error.reason !== 'memory') throw error
      refused = error
    }
  }
  throw refused ?? new PlanError('levels', 'no placement of bootstraps')
}

/** Simulates, checks memory, and puts everything together. @throws PlanError ('memory') */
async function finish({ model, ready, activation, sizes, options }: Draft, chosen: Chosen): Promise<BoundPlan> {
  const { parameters, made, batch, bootstrapping } = chosen
  assertMemoryPossible(made, parameters, options.memory)
  const constant = findConstants(model, made)
  const simulated = await simulate(made, parameters, costModelOf(options), { sizes, model: ready })
  const { memory, keys } = simulated.report
  const peak = options.keepWeights === false ? memory.leanPeakBytes! : memory.peakBytes
  if (options.memory !== undefined && peak > options.memory)
    throw new PlanError(
      'memory',
      `the plan needs about ${gib(peak)} (keys ${gib(keys.bytes)}, weights ${gib(memory.weightBytes)}), the limit is ${gib(options.memory)}: use a smaller batch, lower polynomial degrees or more memory`,
    )
  const precision = assertPrecision(simulated.report, options)
  const calibrated = Object.entries(options.calibration?.statistics ?? {})
  const plan = sealPlan({
    format: 'he-ml/plan',
    version: 1,
    model: {
      name: model.name,
      digest: modelDigest(model),
      input: [...model.input.shape],
      output: [...model.shapes.get(model.output)!],
    },
    packing: options.packing ?? 'multiplexed',
    batch,
    parameters: JSON.parse(JSON.stringify(parameters)) as Plan['parameters'],
    activation: JSON.parse(JSON.stringify(activation)) as Plan['activation'],
    statistics: Object.fromEntries(calibrated.map(([name, s]) => [name, { ...s, histogram: [...s.histogram] }])),
    ...(bootstrapping ? { bootstrapping } : {}),
    ...simulated,
    input: { ...simulated.input, ...inputRange(options.calibration, activation.margin) },
    report: {
      ...simulated.report,
      ...(precision ? { outputPrecisionBits: precision } : {}),
      ...(constant.length > 0 ? { constantOutputs: constant } : {}),
    },
  })
  return { plan, parameters, model: ready, schedule: made }
}

function checkOptions({
  packing = 'multiplexed',
  batch = 1,
  parameters,
  request,
  bootstrapping,
}: CompileOptions): void {
  if (packing === 'multiplexed' && batch !== 1)
    throw new InvalidArgumentError(
      `multiplexed packing takes one image at a time, got a batch of ${batch}: use packing 'batch'`,
    )
  const forced = bootstrapping === 'always' || typeof bootstrapping === 'object'
  if (forced && (parameters || request))
    throw new InvalidArgumentError(
      'compile: bootstrapping brings its own parameters: leave out the options parameters and request, or bootstrapping',
    )
}

/** The range that was seen, as much wider as the ranges of activations are. */
function inputRange(calibration: Calibration | undefined, margin: number): Pick<Plan['input'], 'range'> {
  const seen = calibration?.inputRange
  if (!seen) return {}
  const more = ((margin - 1) * (seen.max - seen.min)) / 2
  return { range: { min: seen.min - more, max: seen.max + more } }
}

const costModelOf = ({ costModel }: CompileOptions) => costModel ?? createDefaultCostModel({ threads: 1 })
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`
