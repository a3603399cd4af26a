/** For tests: what the pipeline does with a model over time, by hand and on one engine. */
import { type Ciphertext, type Encoder, type Evaluator, toLevel } from '@he-ml/ckks-core'
import { forwardAll, isCalibrated, Model, observedBy, type Tensor } from '@he-ml/model'
import { gapsWanted, lowerLayer, PackedTensor, type PreparedLayer, type SlotLayout } from '@he-ml/packing'

/** What `fit` and `compile` do to calibrated layers. */
export function calibrate(model: Model, data: readonly Tensor[]): Model {
  const seen = new Map<string, number[]>()
  for (const image of data)
    model.evaluate(image, ({ name, layer }, inputs) => {
      if (isCalibrated(layer)) seen.set(name, [...(seen.get(name) ?? []), ...observedBy(layer, inputs).data])
      return forwardAll(layer, inputs)
    })
  const nodes = model.nodes.map((node) => {
    if (!isCalibrated(node.layer)) return node
    const values = seen.get(node.name)!
    const [min, max] = [Math.min(...values), Math.max(...values)]
    const histogram = new Float64Array(128)
    for (const v of values) histogram[Math.min(127, Math.floor(((v - min) / (max - min)) * 128))]!++
    const statistics = { count: values.length, min, max, mean: 0, std: 1, histogram }
    return { ...node, layer: node.layer.calibrate(statistics, { margin: 1.5, degree: 7 }) }
  })
  const { name, input, output, states, steps, readout } = model
  return new Model({ name, input, nodes, output, states, steps, readout })
}

type Engine = Encoder & Evaluator

/** Every node in turn; weights are prepared once for all nodes that share a layer and its level. */
export async function runLowered(model: Model, layout: SlotLayout, engine: Engine, input: readonly Ciphertext[]) {
  const values = new Map([[model.input.name, new PackedTensor(layout, input)]])
  const prepared = new Map<unknown, Map<string, PreparedLayer>>()
  for (const { name, layer, inputs, values: results } of model.nodes) {
    const given = inputs.map((i) => values.get(i)!)
    const level = Math.min(...given.map((t) => t.level))
    const layouts = given.map((t) => t.layout)
    const lowered = lowerLayer(layer, layouts, { maxSlots: engine.parameters.maxSlots, gaps: gapsWanted(model, name) })
    const variants = prepared.get(layer) ?? new Map<string, PreparedLayer>()
    prepared.set(layer, variants)
    const key = JSON.stringify([level, layouts])
    const ready = variants.get(key) ?? (await lowered.prepare(engine, { level }))
    variants.set(key, ready)
    const aligned = given.map(
      (t) =>
        new PackedTensor(
          t.layout,
          t.ciphertexts.map((c) => toLevel(engine, c, level)),
        ),
    )
    for (const [i, output] of (await ready.apply(engine, aligned)).entries()) values.set(results[i]!, output)
  }
  const preparations = [...prepared.values()].reduce((sum, variants) => sum + variants.size, 0)
  return { output: values.get(model.output)!, preparations }
}
