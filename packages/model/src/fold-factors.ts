/**
 * Constants that would cost a level of their own cost nothing in a neighbour's weights. There are two kinds: average pooling
 * is a cheap homogeneous sum times 1/k^2, and a polynomial wants its input in [-1, 1]. Both only ask that values be held times
 * a factor, one per stage (`value-scales.ts`); whoever produces a value of the stage multiplies its weights or coefficients by
 * the factor, whoever reads one divides. Several activations that read one stage (networks with the activation before the
 * convolution) ask for different factors: theirs is the smallest divided by a small integer, so that each is left with an
 * integer multiple, which is exact and costs no level, and a range at most {@link WIDEST_RANGE} times its own.
 */

import { checkArgument, InvalidArgumentError, optionCheck } from '@he-ml/ckks-core'
import { isCalibrated, WIDEST_RANGE } from './calibrated-layer.ts'
import { type GraphLayer, isMultiOutput, type Layer } from './layer.ts'
import { Model } from './model.ts'
import { modelCheck } from './model-check.ts'
import type { ModelNode } from './model-node.ts'
import { allInputs, findStages, groupedValues, type Stages } from './value-scales.ts'

/** What folding decides; see {@link applyFactors}. */
export interface FoldingDecision {
  /** The input and every value are those of the unfolded model times this, by name. */
  readonly factors: ReadonlyMap<string, number>
  /** Nodes whose layer has given its constant to the factors. */
  readonly relieved: ReadonlySet<string>
  /** A mean over time has become a sum. */
  readonly sumsOverTime: boolean
}

/** A model of the same function, and how it holds its values. */
export interface FoldedModel extends FoldingDecision {
  /** The model whose layers hold values so. */
  readonly model: Model
}

/**
 * The model with every constant moved that can be moved for free; the others stay and cost one level each. A model over time is
 * folded as it is, before it is unrolled: all steps hold a value alike, and a mean over time becomes a sum.
 *
 * @param model activations without a polynomial are left as they are: calibrate them first
 */
export function foldFactors(model: Model): FoldedModel {
  checkArgument('foldFactors', 'model', model, modelCheck.model)
  const stages = findStages(model)
  const factors = chooseFactors(model, stages)
  const decision = { factors, relieved: new Set(stages.relieved.keys()), sumsOverTime: stages.sumsOverTime }
  return { model: applyFactors(model, decision), ...decision }
}

/**
 * The model folded as was decided before.
 *
 * @param finished layers that hold their values as they should already, by node
 * @throws InvalidArgumentError for a decision that does not fit the model: a value without a factor, a node without a constant to
 *   give, a layer that cannot take its factor
 */
export function applyFactors(
  model: Model,
  decision: FoldingDecision,
  finished: ReadonlyMap<string, GraphLayer> = new Map(),
): Model {
  checkArgument('applyFactors', 'model', model, modelCheck.model)
  checkArgument('applyFactors', 'decision', decision, optionCheck.object)
  const { factors, relieved, sumsOverTime } = decision
  const rescale = sharing()
  const nodes = model.nodes.map((node) => {
    const { name, inputs, origin } = node
    const layer = relieved.has(name) ? relievedLayer(model, node) : node.layer
    const made = finished.get(name) ?? rescale(layer, factorsAt(model, { ...node, layer }, factors))
    return { name, layer: made, inputs, ...(origin ? { origin } : {}) }
  })
  const { name, input, output, states, steps } = model
  const readout = sumsOverTime ? 'sum' : model.readout
  return new Model({ name, input, nodes, output, states, steps, readout })
}

function relievedLayer(model: Model, { name, layer, inputs }: ModelNode): GraphLayer {
  const apart = isMultiOutput(layer) ? undefined : layer.factored?.(inputs.map((input) => model.shapes.get(input)!))
  if (apart) return apart.layer
  throw new InvalidArgumentError(`layer "${name}" has no constant that neighbours could take over`)
}

/** The factors that a node's layer must be told: of its input and its result, or one per group. */
function factorsAt(model: Model, node: ModelNode, factors: ReadonlyMap<string, number>): readonly number[] {
  const { layer } = node
  const inputs = allInputs(model, node)
  const factorOf = (value: string | undefined): number => {
    const factor = value === undefined ? 1 : factors.get(value)
    if (factor === undefined) throw new InvalidArgumentError(`layer "${node.name}": "${value}" has no factor`)
    return factor
  }
  if (isMultiOutput(layer)) return groupedValues(layer, node, inputs).map(([first]) => factorOf(first))
  return [factorOf(inputs[0]), factorOf(node.values[0])]
}

/** {@link rescaled}, the same object for nodes that share a layer and its factors. */
function sharing(): typeof rescaled {
  const known = new Map<GraphLayer, Map<string, GraphLayer>>()
  return (layer, factors) => {
    const variants = known.get(layer) ?? new Map<string, GraphLayer>()
    known.set(layer, variants)
    const key = factors.join(' ')
    const made = variants.get(key) ?? rescaled(layer, factors)
    variants.set(key, made)
    return made
  }
}

function rescaled(layer: GraphLayer, factors: readonly number[]): GraphLayer {
  if (factors.every((f) => f === 1) && (isMultiOutput(layer) || !isCalibrated(layer))) return layer
  const cannot = (): never => {
    throw new InvalidArgumentError(`layer "${layer.name}" cannot hold its values times ${factors}`)
  }
  if (isMultiOutput(layer)) return layer.withFactors?.(factors) ?? cannot()
  if (layer.homogeneous) return layer
  const [inputFactor, outputFactor] = factors as [number, number]
  let changed: Layer = layer
  if (isCalibrated(layer)) changed = layer.calibrated ? layer.withInputFactor(inputFactor) : layer
  else if (inputFactor !== 1) changed = layer.scaleInput?.(1 / inputFactor) ?? cannot()
  return outputFactor === 1 ? changed : (changed.scaleOutput?.(outputFactor) ?? cannot())
}

type Stage = ReturnType<Stages['placeOf']>['stage']

/** Factors of all values. */
function chooseFactors(model: Model, stages: Stages): ReadonlyMap<string, number> {
  const names = [...model.inputs, ...model.nodes.flatMap(({ values }) => values)]
  const wanted = factorsWanted(model, stages)
  const byStage = new Map<Stage, number>()
  // where no activation asks, the last value of a stage is held as it is
  for (const name of names) {
    const { stage, ratio } = stages.placeOf(name)
    const asked = wanted.get(stage)
    byStage.set(stage, asked ? commonFactor(asked) : 1 / ratio)
  }
  byStage.set(stages.one.stage, 1 / stages.one.ratio)
  askFromBehind(model, stages, { byStage, isSettled: (stage) => wanted.has(stage) || stage === stages.one.stage })
  return new Map(
    names.map((name) => {
      const { stage, ratio } = stages.placeOf(name)
      const factor = ratio * byStage.get(stage)!
      return [name, Math.abs(factor - 1) < 1e-12 ? 1 : factor]
    }),
  )
}

interface Choice {
  readonly byStage: Map<Stage, number>
  readonly isSettled: (stage: Stage) => boolean
}

/** Layers whose wish depends on the factor of their result, the last ones first; of several that read a stage the last is heard. */
function askFromBehind(model: Model, stages: Stages, { byStage, isSettled }: Choice): void {
  const heard = new Set<Stage>()
  for (const { layer, inputs, values } of model.nodes.toReversed()) {
    if (isMultiOutput(layer) || !layer.inputFactorFor) continue
    const { stage, ratio } = stages.placeOf(inputs[0]!)
    if (isSettled(stage) || heard.has(stage)) continue
    const output = stages.placeOf(values[0]!)
    byStage.set(stage, layer.inputFactorFor(output.ratio * byStage.get(output.stage)!) / ratio)
    heard.add(stage)
  }
}

/** What layers with polynomials ask of the stages they read. */
function factorsWanted(model: Model, stages: Stages): ReadonlyMap<Stage, readonly number[]> {
  const wanted = new Map<Stage, number[]>()
  const ask = (value: string | undefined, factor: number | undefined): void => {
    if (value === undefined || factor === undefined) return
    const { stage, ratio } = stages.placeOf(value)
    wanted.set(stage, [...(wanted.get(stage) ?? []), factor / ratio])
  }
  for (const node of model.nodes) {
    const { layer } = node
    const inputs = allInputs(model, node)
    if (isMultiOutput(layer)) {
      const groups = layer.withFactors ? groupedValues(layer, node, inputs) : []
      for (const [i, [first]] of groups.entries()) ask(first, layer.factorGroups![i]!.wanted)
    } else if (isCalibrated(layer) && layer.calibrated) ask(inputs[0], layer.inputScale)
  }
  return wanted
}

/** The largest factor of which all wanted ones are integer multiples or little more. */
function commonFactor(wanted: readonly number[]): number {
  const least = Math.min(...wanted)
  for (let parts = 1; ; parts++) {
    const factor = least / parts
    const excess = Math.max(...wanted.map((w) => w / factor / Math.floor(w / factor + 1e-9)))
    // parts = 8 always does: w / factor is 8 or more, and the next integer below is at least 8/9 of it
    if (excess <= WIDEST_RANGE) return factor
  }
}
