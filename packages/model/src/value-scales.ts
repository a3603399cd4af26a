/**
 * Which values of a model must stand at related scales. When everything is folded, each value is held times a factor of its
 * own. Layers with weights read any factor and deliver any; a homogeneous layer passes one on, so its result and all its
 * inputs (the two branches of a residual addition, say) share it, up to the constant that a pool was relieved of. Values
 * related in this way form a stage: one factor for all of them, whoever produces and whoever reads them. A stage that holds
 * the model's input, its output, or a value of a layer that cannot take a factor, keeps the factor 1 there.
 */
import { isCalibrated } from './calibrated-layer.ts'
import { isMultiOutput, type Layer, type MultiOutputLayer } from './layer.ts'
import type { Model } from './model.ts'
import type { ModelNode } from './model-node.ts'
import { statesOf } from './time.ts'

/** Stands for the factor 1. */
const ONE: unique symbol = Symbol('1')

type Item = string | typeof ONE

/** A value's place: its factor is `ratio` times that of its stage. */
export interface StagePlace {
  readonly stage: Item
  readonly ratio: number
}

/** The stages of a model, and the layers that `Layer.factored` relieves of their constant. */
export interface Stages {
  /** @param name the input or a value */
  placeOf(name: string): StagePlace
  /** Where the factor 1 is: the stage that holds it cannot choose. */
  readonly one: StagePlace
  /** What stands in place of a layer with a constant, by the node's name. */
  readonly relieved: ReadonlyMap<string, Layer>
  /** The 1 / steps of a mean over time is in the output's factor, and a sum is left. */
  readonly sumsOverTime: boolean
}

/** Stands for the mean over time, among the names of nodes that keep their constants. */
const READOUT: unique symbol = Symbol('readout')

type Kept = string | typeof READOUT

/** Finds the stages; as many constants are moved as fit together, and the others stay where they are. */
export function findStages(model: Model): Stages {
  const kept = new Set<Kept>()
  for (;;) {
    const attempt = tryStages(model, kept)
    if (typeof attempt === 'object') return attempt
    kept.add(attempt)
  }
}

interface Factored {
  readonly name: string
  readonly input: string
  readonly factor: number
  readonly layer: Layer
}

/** The stages when the nodes in `kept` keep their constants, or the name of one more that must. */
function tryStages(model: Model, kept: ReadonlySet<Kept>): Stages | Kept {
  const scales = new RelatedScales()
  const factored: Factored[] = []
  const sumsOverTime = model.readout === 'mean' && model.steps > 1 && !kept.has(READOUT)
  for (const input of model.inputs) scales.relate(input, ONE, 1)
  if (!sumsOverTime) scales.relate(model.output, ONE, 1)
  for (const node of model.nodes) {
    const { name, layer } = node
    const inputs = allInputs(model, node)
    if (isMultiOutput(layer)) {
      for (const [first, ...others] of layer.withFactors ? groupedValues(layer, node, inputs) : [])
        for (const value of others) if (first !== undefined) scales.relate(value, first, 1)
      if (!layer.withFactors) for (const value of [...node.values, ...inputs]) scales.relate(value, ONE, 1)
      continue
    }
    const apart = kept.has(name) ? undefined : layer.factored?.(inputs.map((input) => model.shapes.get(input)!))
    if (apart && inputs.length === 1) factored.push({ name, input: inputs[0]!, ...apart })
    else if (layer.homogeneous) for (const input of inputs) scales.relate(name, input, 1)
    else {
      if (!layer.scaleOutput) scales.relate(name, ONE, 1)
      if (!readsAnyScale(layer)) for (const input of inputs) scales.relate(input, ONE, 1)
    }
  }
  for (const { name, input, factor } of factored) if (!scales.relate(name, input, 1 / factor)) return name
  // the output's values are held divided by the number of steps, so that their sum is the mean
  if (sumsOverTime && !scales.relate(model.output, ONE, 1 / model.steps)) return READOUT
  return {
    placeOf: (name) => scales.find(name),
    one: scales.find(ONE),
    relieved: new Map(factored.map(({ name, layer }) => [name, layer])),
    sumsOverTime,
  }
}

/** What a node reads, its states included. */
export const allInputs = ({ states }: Model, { name, inputs }: ModelNode): readonly string[] => [
  ...inputs,
  ...statesOf(states, name).map(({ value }) => value),
]

/** The values of a node that each group of its layer holds. @param inputs all of the node's */
export const groupedValues = (
  layer: MultiOutputLayer,
  { values }: ModelNode,
  inputs: readonly string[],
): readonly (readonly string[])[] =>
  (layer.factorGroups ?? []).map((group) => [
    ...group.inputs.filter((i) => i < inputs.length).map((i) => inputs[i]!),
    ...group.outputs.map((i) => values[i]!),
  ])

const readsAnyScale = (layer: Layer): boolean =>
  layer.arity === 1 && (isCalibrated(layer) ? layer.calibrated : layer.scaleInput !== undefined)

/** Disjoint sets with ratios: scale(a) = ratio scale(b) for all that were related. */
class RelatedScales {
  readonly #parents = new Map<Item, StagePlace>()

  find(item: Item): StagePlace {
    const parent = this.#parents.get(item)
    if (parent === undefined) return { stage: item, ratio: 1 }
    const above = this.find(parent.stage)
    const place: StagePlace = { stage: above.stage, ratio: parent.ratio * above.ratio }
    this.#parents.set(item, place)
    return place
  }

  /** Notes scale(a) = ratio scale(b); false when another ratio is known already. */
  relate(a: Item, b: Item, ratio: number): boolean {
    const [x, y] = [this.find(a), this.find(b)]
    if (x.stage === y.stage) return Math.abs(x.ratio / (ratio * y.ratio) - 1) < 1e-12
    this.#parents.set(x.stage, { stage: y.stage, ratio: (ratio * y.ratio) / x.ratio })
    return true
  }
}
