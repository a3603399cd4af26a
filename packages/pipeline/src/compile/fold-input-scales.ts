/**
 * Activations want their input in [-1, 1]. Multiplying by 1/B costs a level, unless the layer before absorbs the factor in
 * its weights; homogeneous layers (pooling, addition, flatten) pass it on to their own inputs. A layer may absorb only when
 * everything that reads it wants the same factor.
 */
import { isCalibrated, type Layer, Model, type ModelNode } from '@he-ml/packing'

/** The model with every input scale folded that can be folded; the others stay and cost one level. */
export function foldInputScales(model: Model): Model {
  const nodes = new Map<string, ModelNode>(model.nodes.map((node) => [node.layer.name, node]))
  const readers = countReaders(model)
  for (const { layer } of model.nodes) {
    if (!isCalibrated(layer) || layer.inputScale === 1) continue
    const producer = nodes.get(layer.name)!.inputs[0]!
    const changes = absorb(producer, layer.inputScale, nodes, readers)
    if (changes === undefined) continue
    for (const [name, changed] of changes) nodes.set(name, { ...nodes.get(name)!, layer: changed })
    nodes.set(layer.name, { ...nodes.get(layer.name)!, layer: layer.withNormalizedInput() })
  }
  return new Model({
    name: model.name,
    input: model.input,
    nodes: model.nodes.map((node) => nodes.get(node.layer.name)!),
    output: model.output,
  })
}

function countReaders(model: Model): Map<string, number> {
  const readers = new Map<string, number>([[model.output, 1]])
  for (const { inputs } of model.nodes) for (const input of inputs) readers.set(input, (readers.get(input) ?? 0) + 1)
  return readers
}

/** The layers to replace so that `name` comes out multiplied by `factor`; undefined when that is impossible for free. */
function absorb(
  name: string,
  factor: number,
  nodes: ReadonlyMap<string, ModelNode>,
  readers: ReadonlyMap<string, number>,
): Map<string, Layer> | undefined {
  const node = nodes.get(name)
  if (node === undefined || readers.get(name) !== 1) return undefined
  if (node.layer.scaleOutput) return new Map([[name, node.layer.scaleOutput(factor)]])
  if (!node.layer.homogeneous) return undefined
  const changes = new Map<string, Layer>()
  for (const input of node.inputs) {
    const more = absorb(input, factor, nodes, readers)
    if (more === undefined) return undefined
    for (const [key, layer] of more) changes.set(key, layer)
  }
  return changes
}
