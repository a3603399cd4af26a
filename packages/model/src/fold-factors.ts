/**
 * Constants that would cost a level of their own cost nothing in a neighbour's weights. There are two kinds: average pooling
 * is a cheap homogeneous sum times 1/k^2, and a polynomial wants its input in [-1, 1]. Both only ask that values be held times
 * a factor, one per stage (`value-scales.ts`); whoever produces a value of the stage multiplies its weights or coefficients by
 * the factor, whoever reads one divides. Several activations that read one stage (networks with the activation before the
 * convolution) ask for different factors: theirs is the smallest divided by a small integer, so that each is left with an
 * integer multiple, which is exact and costs no level, and a range at most {@link WIDEST_RANGE} times its own.
 */
import { isCalibrated, type Layer, WIDEST_RANGE } from './layer.ts'
import { Model } from './model.ts'
import { findStages, type Stages } from './value-scales.ts'

/** A model of the same function, and how it holds its values. */
export interface FoldedModel {
  readonly model: Model
  /** The input and every node's result are those of the unfolded model times this, by name. */
  readonly factors: ReadonlyMap<string, number>
}

/**
 * The model with every constant moved that can be moved for free; the others stay and cost one level each.
 *
 * @param model activations without a polynomial are left as they are: calibrate them first
 */
export function foldFactors(model: Model): FoldedModel {
  const stages = findStages(model)
  const factors = chooseFactors(model, stages)
  const rescale = sharing()
  const nodes = model.nodes.map(({ name, layer, inputs }) => ({
    name,
    layer: rescale(stages.relieved.get(name) ?? layer, factors.get(inputs[0]!)!, factors.get(name)!),
    inputs,
  }))
  return { model: new Model({ name: model.name, input: model.input, nodes, output: model.output }), factors }
}

/** {@link rescaled}, the same object for nodes that share a layer and its factors. */
function sharing(): typeof rescaled {
  const known = new Map<Layer, Map<string, Layer>>()
  return (layer, inputFactor, outputFactor) => {
    const variants = known.get(layer) ?? new Map<string, Layer>()
    known.set(layer, variants)
    const key = `${inputFactor} ${outputFactor}`
    const made = variants.get(key) ?? rescaled(layer, inputFactor, outputFactor)
    variants.set(key, made)
    return made
  }
}

function rescaled(layer: Layer, inputFactor: number, outputFactor: number): Layer {
  if (layer.homogeneous) return layer
  let changed = layer
  if (isCalibrated(layer)) changed = layer.calibrated ? layer.withInputFactor(inputFactor) : layer
  else if (inputFactor !== 1) changed = layer.scaleInput!(1 / inputFactor)
  return outputFactor === 1 ? changed : changed.scaleOutput!(outputFactor)
}

/** Factors of all values. */
function chooseFactors(model: Model, stages: Stages): ReadonlyMap<string, number> {
  type Stage = ReturnType<Stages['placeOf']>['stage']
  const names = [model.input.name, ...model.nodes.map((node) => node.name)]
  const wanted = new Map<Stage, number[]>()
  for (const { layer, inputs } of model.nodes) {
    if (!isCalibrated(layer) || !layer.calibrated) continue
    const { stage, ratio } = stages.placeOf(inputs[0]!)
    wanted.set(stage, [...(wanted.get(stage) ?? []), layer.inputScale / ratio])
  }
  const byStage = new Map<Stage, number>()
  // where no activation asks, the last value of a stage is held as it is
  for (const name of names) {
    const { stage, ratio } = stages.placeOf(name)
    const asked = wanted.get(stage)
    byStage.set(stage, asked ? commonFactor(asked) : 1 / ratio)
  }
  byStage.set(stages.one.stage, 1 / stages.one.ratio)
  return new Map(
    names.map((name) => {
      const { stage, ratio } = stages.placeOf(name)
      const factor = ratio * byStage.get(stage)!
      return [name, Math.abs(factor - 1) < 1e-12 ? 1 : factor]
    }),
  )
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
