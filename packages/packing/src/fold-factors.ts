/**
 * A layer such as average pooling is a cheap homogeneous layer times a constant. The constant costs a level of its own, or
 * nothing when a neighbour takes it into its weights: a producer that can scale its output, reached through homogeneous
 * layers, or else every reader that can scale its input. The function of the model stays the same.
 */
import type { Layer } from './layer.ts'
import { Model, type ModelNode } from './model.ts'

type Changes = Map<string, Layer>

/**
 * The model with every factor moved that can be moved for free; the others stay and cost one level each.
 *
 * @param model any model; calibrated or not
 */
export function foldFactors(model: Model): Model {
  let nodes = [...model.nodes]
  for (const { layer, inputs } of model.nodes) {
    const factored = layer.factored?.(inputs.map((input) => model.shapes.get(input)!))
    if (!factored) continue
    const graph = new Graph(nodes, model.output)
    const changes = graph.upstream(layer.name, factored.factor) ?? graph.downstream(layer.name, factored.factor)
    if (!changes) continue
    changes.set(layer.name, factored.layer)
    nodes = nodes.map((node) => ({ ...node, layer: changes.get(node.layer.name) ?? node.layer }))
  }
  return new Model({ name: model.name, input: model.input, nodes, output: model.output })
}

class Graph {
  readonly #nodes: ReadonlyMap<string, ModelNode>
  readonly #readers = new Map<string, ModelNode[]>()
  readonly #output: string

  constructor(nodes: readonly ModelNode[], output: string) {
    this.#nodes = new Map(nodes.map((node) => [node.layer.name, node]))
    this.#output = output
    for (const node of nodes) {
      for (const input of node.inputs) this.#readers.set(input, [...(this.#readers.get(input) ?? []), node])
    }
  }

  /** Layers to replace so that all inputs of `name` come multiplied by `factor`. */
  upstream(name: string, factor: number): Changes | undefined {
    const changes: Changes = new Map()
    for (const input of this.#nodes.get(name)!.inputs) {
      const node = this.#nodes.get(input)
      const readers = (this.#readers.get(input)?.length ?? 0) + (input === this.#output ? 1 : 0)
      if (!node || readers !== 1) return undefined
      const more = node.layer.scaleOutput
        ? new Map([[input, node.layer.scaleOutput(factor)]])
        : node.layer.homogeneous
          ? this.upstream(input, factor)
          : undefined
      if (!more) return undefined
      for (const [key, layer] of more) changes.set(key, layer)
    }
    return changes
  }

  /** Layers to replace so that all readers of `name` multiply their input by `factor` themselves. */
  downstream(name: string, factor: number): Changes | undefined {
    if (name === this.#output) return undefined
    const changes: Changes = new Map()
    for (const { layer } of this.#readers.get(name) ?? []) {
      if (layer.arity !== 1) return undefined
      const more = layer.scaleInput
        ? new Map([[layer.name, layer.scaleInput(factor)]])
        : layer.homogeneous
          ? this.downstream(layer.name, factor)
          : undefined
      if (!more) return undefined
      for (const [key, changed] of more) changes.set(key, changed)
    }
    return changes
  }
}
