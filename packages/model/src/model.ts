/** A model is data: layers in topological order, each naming its inputs. Made by code or by model-import. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Layer } from './layer.ts'
import { type Shape, sameShape, type Tensor } from './tensor.ts'

/** A layer in its place. Several nodes may hold one layer object: they share its weights. */
export interface ModelNode {
  /** Unique in the model: names the node's result, and the node in plans, statistics and progress. */
  readonly name: string
  readonly layer: Layer
  /** Names of earlier nodes, or of the model's input. */
  readonly inputs: readonly string[]
}

/** A node as it is written down; the name is the layer's unless given. */
export type NodeDescription = Omit<ModelNode, 'name'> & { readonly name?: string }

export interface ModelDescription {
  readonly name: string
  readonly input: { readonly name: string; readonly shape: Shape }
  readonly nodes: readonly NodeDescription[]
  /** Name of the node whose result is the model's; default the last. */
  readonly output?: string
}

/** A checked, immutable graph of layers. */
export class Model {
  readonly name: string
  readonly input: { readonly name: string; readonly shape: Shape }
  readonly nodes: readonly ModelNode[]
  readonly output: string
  /** Output shape of the input and of every node, by name. */
  readonly shapes: ReadonlyMap<string, Shape>

  /** @throws InvalidArgumentError naming the node whose inputs, name or shapes do not fit */
  constructor(description: ModelDescription) {
    const { name, input } = description
    const nodes = description.nodes.map((node) => ({ ...node, name: node.name ?? node.layer.name }))
    if (nodes.length === 0) throw new InvalidArgumentError(`model "${name}" has no layers`)
    const shapes = new Map<string, Shape>([[input.name, input.shape]])
    for (const { name: own, layer, inputs } of nodes) {
      if (shapes.has(own)) throw new InvalidArgumentError(`model "${name}": the name "${own}" is used twice`)
      if (inputs.length !== layer.arity)
        throw new InvalidArgumentError(`layer "${own}" takes ${layer.arity} inputs, got ${inputs.length}`)
      const given = inputs.map((i) => {
        const shape = shapes.get(i)
        if (!shape)
          throw new InvalidArgumentError(
            `layer "${own}": its input "${i}" is neither the model's input nor an earlier layer`,
          )
        return shape
      })
      shapes.set(own, layer.outputShape(given))
    }
    const output = description.output ?? nodes[nodes.length - 1]!.name
    if (!shapes.has(output)) throw new InvalidArgumentError(`model "${name}": no layer is called "${output}"`)
    this.name = name
    this.input = input
    this.nodes = nodes
    this.output = output
    this.shapes = shapes
  }

  /**
   * The exact clear result; `observe` sees every node with its inputs before it runs.
   * @throws InvalidArgumentError when the input's shape is not the model's
   */
  forward(input: Tensor, observe?: (node: ModelNode, inputs: readonly Tensor[]) => void): Tensor {
    return this.evaluate(input, (node, inputs) => {
      observe?.(node, inputs)
      return [node.layer.forward(inputs)]
    })
  }

  /** Walks the graph with a function per node, which gives the node's results. */
  evaluate(input: Tensor, apply: (node: ModelNode, inputs: readonly Tensor[]) => readonly Tensor[]): Tensor {
    if (!sameShape(input.shape, this.input.shape))
      throw new InvalidArgumentError(`model "${this.name}" takes [${this.input.shape}], got [${input.shape}]`)
    const values = new Map<string, Tensor>([[this.input.name, input]])
    for (const node of this.nodes) {
      const [result] = apply(
        node,
        node.inputs.map((i) => values.get(i)!),
      )
      values.set(node.name, result!)
    }
    return values.get(this.output)!
  }
}
