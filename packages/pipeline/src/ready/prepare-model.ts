/**
 * A model made ready for lowering: a polynomial for every activation, constants folded, time unrolled. Everything that is decided
 * on the way goes into the plan as plain data, and is taken from there when the plan is bound.
 */
import { FormatError, HeMlError } from '@he-ml/ckks-core'
import {
  applyFactors,
  type Equalization,
  equalized,
  foldFactors,
  type GraphLayer,
  isCalibrated,
  Model,
  originOf,
  unroll,
} from '@he-ml/model'
import { type ActivationOptions, calibrateActivations } from './calibrate-activations.ts'
import type { Calibration, ValueSize } from './calibration.ts'
import { valueSizes } from './value-ranges.ts'

/** What decides the function computed, as JSON. Names are those of the model, before it is unrolled. */
export interface Decided {
  /** What each calibrated layer was fitted to: polynomial, range and factors, in the form of its layer; by node. */
  readonly fitted: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Values are held times these, positive; by name of the value. */
  readonly factors: Readonly<Record<string, number>>
  /** Nodes whose layer has given its constant to the factors. */
  readonly relieved: readonly string[]
  /** A mean over time has become a sum. */
  readonly sumsOverTime: boolean
  /** Quarters of an octave by which the channels of results are held larger, before anything else; absent: as they are. */
  readonly equalization?: Equalization
}

export interface PreparedModel {
  /** With polynomials, folded, without states. */
  readonly ready: Model
  readonly decided: Decided
  /** Sizes of the values of `ready`, where the calibration tells. */
  readonly sizes: ReadonlyMap<string, ValueSize>
}

/** Decides. @throws PlanError ('range') without calibration */
export function prepareModel(
  model: Model,
  calibration: Calibration | undefined,
  options: ActivationOptions,
): PreparedModel {
  const equalization = calibration?.equalization
  const plain = calibrateActivations(equalization ? equalized(model, equalization) : model, calibration, options)
  const { model: folded, factors, relieved, sumsOverTime } = foldFactors(plain)
  const ready = unroll(folded)
  const fitted = folded.nodes.flatMap(({ name, layer }) =>
    isCalibrated(layer) && layer.fittedForm ? [[name, toJson(layer.fittedForm)] as const] : [],
  )
  const rolled = valueSizes(plain, factors, calibration)
  const sizes = new Map<string, ValueSize>()
  for (const value of ready.shapes.keys()) {
    const size = rolled.get(originOf(ready, value))
    if (size) sizes.set(value, size)
  }
  return {
    ready,
    decided: {
      fitted: Object.fromEntries(fitted),
      factors: Object.fromEntries(factors),
      relieved: [...relieved],
      sumsOverTime,
      ...(equalization ? { equalization } : {}),
    },
    sizes,
  }
}

/** With layers that suit where values lie, by node of the ready model. */
export function withSuited(prepared: PreparedModel, suited: ReadonlyMap<string, GraphLayer>): PreparedModel {
  if (suited.size === 0) return prepared
  const { ready, decided, sizes } = prepared
  const { name, input, output, states, steps, readout } = ready
  const nodes = ready.nodes.map((node) => ({ ...node, layer: suited.get(node.name) ?? node.layer }))
  const forms = [...suited].flatMap(([node, layer]) =>
    isCalibrated(layer) && layer.fittedForm ? [[node, toJson(layer.fittedForm)] as const] : [],
  )
  return {
    ready: new Model({ name, input, nodes, output, states, steps, readout }),
    decided: { ...decided, fitted: { ...decided.fitted, ...Object.fromEntries(forms) } },
    sizes,
  }
}

/**
 * The ready model again, from what was decided; nothing is fitted.
 * @throws FormatError when it does not fit the model
 */
export function restoreModel(given: Model, decided: Decided): Model {
  assertKnown(given, decided)
  const model = restoreChannels(given, decided)
  const { fitted, factors, relieved, sumsOverTime } = decided
  const finished = new Map<string, GraphLayer>()
  for (const { name, layer } of model.nodes) {
    if (!isCalibrated(layer)) continue
    const form = fitted[name]
    if (form === undefined) throw new FormatError(`plan: it does not tell what "${name}" was fitted to`)
    finished.set(name, layer.withFittedForm(form))
  }
  const decision = { factors: new Map(Object.entries(factors)), relieved: new Set(relieved), sumsOverTime }
  try {
    return unroll(applyFactors(model, decision, finished))
  } catch (cause) {
    if (!(cause instanceof HeMlError) || cause instanceof FormatError) throw cause
    throw new FormatError(`plan: its factors do not fit the model: ${cause.message}`, { cause })
  }
}

/**
 * The model with its channels held as was decided.
 * @throws FormatError when that does not fit it
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile, restoreChannels } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const { decided } = await compile(model)
 * assert.equal(restoreChannels(model, decided), model) // nothing was equalized
 * ```
 */
export function restoreChannels(model: Model, { equalization }: Pick<Decided, 'equalization'>): Model {
  if (!equalization) return model
  try {
    return equalized(model, equalization)
  } catch (cause) {
    if (!(cause instanceof HeMlError)) throw cause
    throw new FormatError(`plan: ${cause.message}`, { cause })
  }
}

/** What is decided is about this model and nothing else. @throws FormatError */
function assertKnown(model: Model, { fitted, factors, relieved, sumsOverTime }: Decided): void {
  const values = new Set([...model.inputs, ...model.nodes.flatMap((node) => node.values)])
  const nodes = new Set(model.nodes.map(({ name }) => name))
  const activations = new Set(model.nodes.filter(({ layer }) => isCalibrated(layer)).map(({ name }) => name))
  const refuse = (why: string): never => {
    throw new FormatError(`plan: ${why}`)
  }
  for (const name of Object.keys(fitted))
    if (!activations.has(name)) refuse(`it tells what "${name}" was fitted to, which is no activation of the model`)
  for (const [name, factor] of Object.entries(factors)) {
    if (!values.has(name)) refuse(`it has a factor for "${name}", which is no value of the model`)
    if (!(factor > 0)) refuse(`the factor of "${name}" must be positive, got ${factor}`)
  }
  for (const [i, name] of relieved.entries())
    if (!nodes.has(name) || relieved.indexOf(name) !== i)
      refuse(`"${name}" gave its constant to the factors: it is no node of the model, or is named twice`)
  for (const name of model.inputs)
    if (!isNear(factors[name], 1)) refuse(`the input "${name}" is held as it is, its factor is ${factors[name]}`)
  const last = sumsOverTime ? 1 / model.steps : 1
  if (!isNear(factors[model.output], last))
    refuse(`the factor of the output "${model.output}" must be ${last}, got ${factors[model.output]}`)
  if (sumsOverTime && model.readout !== 'mean')
    refuse(`a mean over time became a sum, and the model's readout is '${model.readout}'`)
}

const isNear = (factor: number | undefined, wanted: number): boolean =>
  factor !== undefined && Math.abs(factor / wanted - 1) < 1e-9

const toJson = (form: object): Record<string, unknown> => JSON.parse(JSON.stringify(form))
