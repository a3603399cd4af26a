/** A plan together with the model it was made for: what runs. */
import { createBootstrapping, FormatError, ParameterMismatchError, Parameters } from '@he-ml/ckks-core'
import { foldFactors, type InputStatistics, type Model } from '@he-ml/model'
import { type ActivationOptions, calibrateActivations } from '../compile/calibrate-activations.ts'
import { inputLayoutFor } from '../compile/input-layout.ts'
import { lowerModel } from '../compile/lower-model.ts'
import { type Schedule, schedule, scheduleFrom } from '../compile/schedule.ts'
import { modelDigest } from './model-digest.ts'
import type { Plan } from './plan.ts'

export interface BoundPlan {
  readonly plan: Plan
  readonly parameters: Parameters
  /** With polynomials chosen and factors folded. */
  readonly model: Model
  readonly schedule: Schedule
}

/**
 * Binds a plan to its model: repeats the decisions that the plan records.
 *
 * @throws ParameterMismatchError when the model is not the one the plan was made for
 * @throws SecurityError when the plan's parameters, or its bootstrapping, are not 128-bit secure
 * @throws FormatError when the plan's schedule does not fit the model
 */
export function bindPlan(plan: Plan, model: Model): BoundPlan {
  const found = modelDigest(model)
  if (found !== plan.model.digest)
    throw new ParameterMismatchError(
      `the plan was made for model "${plan.model.name}" (${plan.model.digest.slice(0, 12)}), got "${model.name}" (${found.slice(0, 12)})`,
    )
  const parameters = new Parameters(plan.parameters)
  const statistics: Record<string, InputStatistics> = {}
  for (const [name, s] of Object.entries(plan.statistics))
    statistics[name] = { ...s, histogram: Float64Array.from(s.histogram) }
  const calibration = { model: plan.model.name, samples: 0, statistics }
  const { model: ready } = foldFactors(calibrateActivations(model, calibration, plan.activation as ActivationOptions))
  const made = reproduce(plan, ready, parameters)
  if (made.inputLevel !== plan.input.level || made.inputLayout.slots !== plan.input.slots)
    throw new FormatError(
      `the plan asks for inputs at level ${plan.input.level} with ${plan.input.slots} slots; this version of the library needs ${made.inputLevel} and ${made.inputLayout.slots}: compile again`,
    )
  if (made.outputLevel !== plan.output.level)
    throw new FormatError(
      `the plan leaves its result at level ${plan.output.level}, its schedule at ${made.outputLevel}: compile again`,
    )
  return { plan, parameters, model: ready, schedule: made }
}

/** The schedule again: levels as late as possible, or replayed from a placement. */
function reproduce(plan: Plan, model: Model, parameters: Parameters): Schedule {
  const { maxSlots } = parameters
  const layout = inputLayoutFor(model, plan.packing, plan.batch, maxSlots)
  const { bootstrapping } = plan
  if (!bootstrapping) return schedule(lowerModel(model, layout, maxSlots), plan.output.level)
  const circuits = bootstrapping.circuits.map(({ spec, ranges }) => ({
    bootstrapping: createBootstrapping(parameters, spec),
    ranges,
  }))
  return scheduleFrom(lowerModel(model, layout, maxSlots, bootstrapping.gaps), circuits, bootstrapping)
}
