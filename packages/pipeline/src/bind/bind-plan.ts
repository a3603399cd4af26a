/** Binding: the decisions that a plan records, repeated on its model. Nothing is decided here, nothing fitted, nothing searched. */

import {
  checkArgument,
  createBootstrapping,
  createFunctionalBootstrapping,
  FormatError,
  type KeyRequest,
  listKeyNeeds,
  ParameterMismatchError,
  type Parameters,
  sameScale,
  UnsupportedError,
} from '@he-ml/ckks-core'
import { type Model, type ModelInput, modelCheck, sameShape } from '@he-ml/model'
import { inputLayoutFor } from '../compile/input-layout.ts'
import { lowerModel } from '../compile/lower-model.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { inputLayoutOf, outputLayoutOf, parametersOf } from '../plan/plan.ts'
import { planCheck } from '../plan/plan-check.ts'
import type { Plan } from '../plan/plan-form.ts'
import { buildProgram } from '../program/build-program.ts'
import { checkProgram } from '../program/check-program.ts'
import type { Network } from '../program/network.ts'
import { inputCiphertexts, type Program } from '../program/program.ts'
import { withKeys } from '../program/with-keys.ts'
import { modelDigest } from '../ready/model-digest.ts'
import { restoreModel } from '../ready/prepare-model.ts'

/**
 * Binds a plan to its model.
 *
 * @throws ParameterMismatchError when the model is not the one the plan was made for
 * @throws SecurityError when the plan's parameters, or its bootstrapping, are not 128-bit secure
 * @throws FormatError when what the plan says does not fit the model
 * @example
 * ```ts
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { bindPlan, compile, parsePlan } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const text = JSON.stringify(await compile(model)) // travels, and holds no weights
 * const { plan, parameters, program } = bindPlan(parsePlan(text), model)
 * console.log(plan.id, parameters.logN, program.tasks.length)
 * ```
 */
export function bindPlan(plan: Plan, model: Model): BoundPlan {
  checkArgument('bindPlan', 'plan', plan, planCheck.plan)
  checkArgument('bindPlan', 'model', model, modelCheck.model)
  const found = modelDigest(model)
  if (found !== plan.model.digest)
    throw new ParameterMismatchError(
      `the plan was made for model "${plan.model.name}" (${plan.model.digest.slice(0, 12)}), got "${model.name}" (${found.slice(0, 12)})`,
    )
  const parameters = parametersOf(plan)
  const ready = restoreModel(model, plan.decided)
  const program = programOf(plan, ready, parameters)
  assertReport(plan, program)
  assertEnds(plan, program, model.input)
  assertShapes(plan, model)
  assertPlaces(plan, program, parameters)
  return { plan, parameters, model: ready, program }
}

function programOf(plan: Plan, model: Model, parameters: Parameters): Program {
  const { maxSlots } = parameters
  const { packing, batch, gaps, tile, pairs } = plan
  const network = lowered(() =>
    lowerModel(model, inputLayoutFor(model, packing, batch, maxSlots), maxSlots, { gaps, tile, pairs, priced: false }),
  )
  const circuits = (plan.bootstrapping?.circuits ?? []).map(({ spec, ...used }) => ({
    bootstrapping: createBootstrapping(parameters, spec),
    ...used,
  }))
  const functionals = (plan.functional?.circuits ?? []).map(({ spec, ...used }) => ({
    functional: createFunctionalBootstrapping(parameters, spec),
    ...used,
  }))
  const program = buildProgram(network, plan.tasks, circuits, functionals)
  checkProgram(program)
  const needs = listKeyNeeds(plan.keyRequest as KeyRequest)
  const keys = plan.tasks.map((task) =>
    task.keys.map((index) => {
      const need = needs[index]
      if (!need) throw new FormatError(`plan: a task uses key ${index} of ${needs.length}`)
      return need
    }),
  )
  return withKeys(program, keys)
}

/** A plan's layers lay on their layouts when it was made. @throws FormatError where they do not */
function lowered(lower: () => Network): Network {
  try {
    return lower()
  } catch (cause) {
    if (!(cause instanceof UnsupportedError)) throw cause
    throw new FormatError(`plan: it does not fit the model: ${cause.message}`, { cause })
  }
}

/** Progress goes by the report's lines. */
function assertReport({ report }: Plan, { tasks }: Program): void {
  if (report.layers.length !== tasks.length)
    throw new FormatError(
      `the plan reports ${report.layers.length} layers and refreshes of ${tasks.length}: compile again`,
    )
}

/** What clients were told about inputs and results must be what the program does. */
function assertEnds(plan: Plan, { input, output, weights }: Program, { time = 'static', grid }: ModelInput): void {
  const { input: wanted, output: promised } = plan
  if (input.level !== wanted.level || input.layout.slots !== wanted.slots)
    throw new FormatError(
      `the plan asks for inputs at level ${wanted.level} with ${wanted.slots} slots; this version of the library needs ${input.level} and ${input.layout.slots}: compile again`,
    )
  const count = inputCiphertexts(input)
  const frames = count / input.whole.ciphertexts
  if (count !== wanted.ciphertexts || frames !== (wanted.frames ?? 1))
    throw new FormatError(
      `the plan asks for inputs of ${wanted.ciphertexts} ciphertexts in ${wanted.frames ?? 1} frames, the model takes ${count} in ${frames}: compile again`,
    )
  if ((wanted.frames === undefined) !== (time === 'static'))
    throw new FormatError(
      `the plan takes ${wanted.frames ?? 'no'} frames, the model's input is '${time}': compile again`,
    )
  if (wanted.grid?.step !== grid?.step || wanted.grid?.count !== grid?.count)
    throw new FormatError(
      `the plan has inputs rounded to ${gridText(wanted.grid)}, the model reads ${gridText(grid)}: compile again`,
    )
  if (output.level !== promised.level)
    throw new FormatError(
      `the plan leaves its result at level ${promised.level}, its tasks at ${output.level}: compile again`,
    )
  const unknown = [...weights.keys()].find((id) => plan.weights[id] === undefined)
  if (unknown !== undefined) throw new FormatError(`the plan does not tell the size of the weights "${unknown}"`)
  for (const [id, bytes] of Object.entries(plan.deferredWeights))
    if (!Object.hasOwn(plan.weights, id) || bytes > plan.weights[id]!)
      throw new FormatError(`the plan's deferred weights "${id}" are larger than whole ones, or none of the plan's`)
}

const gridText = (grid: ModelInput['grid']): string => (grid ? `${grid.count} points of ${grid.step}` : 'any values')

function assertShapes({ model: { input, output } }: Plan, model: Model): void {
  for (const [what, told, real] of [
    ['input', input, model.inputShape],
    ['output', output, model.shapes.get(model.output)!],
  ] as const)
    if (!sameShape(told, real))
      throw new FormatError(`the plan tells of an ${what} of shape [${told}], the model's is [${real}]: compile again`)
}

/** Where clients put what they encrypt and find what they decrypt, and at which scale. */
function assertPlaces(plan: Plan, { input, output }: Program, parameters: Parameters): void {
  for (const [what, told, real, { level, scale }] of [
    ['input', inputLayoutOf(plan), input.whole, plan.input],
    ['result', outputLayoutOf(plan), output.layout, plan.output],
  ] as const) {
    if (JSON.stringify(told) !== JSON.stringify(real))
      throw new FormatError(`the plan's ${what} lies elsewhere than this version of the library puts it: compile again`)
    if (!sameScale(scale, parameters.scaleAt(level)))
      throw new FormatError(
        `the plan's ${what} has a scale of 2^${Math.log2(scale)}, its level one of 2^${Math.log2(parameters.scaleAt(level))}: compile again`,
      )
  }
}
