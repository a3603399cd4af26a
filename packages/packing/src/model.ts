/** A model is data: layers in topological order, each naming its inputs. Made by code or by model-import. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Layer } from './layer.ts'
import { type Shape, sameShape, type Tensor } from './tensor.ts'

export interface ModelNode {
  readonly layer: Layer
  /** Names of earlier layers, or of the model's input. */
  readonly inputs: readonly string[]
}

export interface ModelDescription {
  readonly name: string
  readonly input: { readonly name: string; readonly shape: Shape }
  readonly nodes: readonly ModelNode[]
  /** Name of the layer whose result is the model's; default the last. */
  readonly output?: string
}

/** A checked, immutable graph of layers. */
export class Model {
  readonly name: string
  readonly input: { readonly name: string; readonly shape: Shape }
  readonly nodes: readonly ModelNode[]
  readonly output: string
  /** Output shape of the input and of every layer, by name. */
  readonly shapes: ReadonlyMap<string, Shape>

  /** @throws InvalidArgumentError naming the layer whose inputs, name or shapes do not fit */
  constructor(description: ModelDescription) {
    const { name, input, nodes } = description
    if (nodes.length === 0) throw new InvalidArgumentError(`model "${name}" has no layers`)
    const shapes = new Map<string, Shape>([[input.name, input.shape]])
    for (const { layer, inputs } of nodes) {
      if (shapes.has(layer.name))
        throw new InvalidArgumentError(`model "${name}": the name "${layer.name}" is used twice`)
      if (inputs.length !== layer.arity)
        throw new InvalidArgumentError(`layer "${layer.name}" takes ${layer.arity} inputs, got ${inputs.length}`)
      const given = inputs.map((i) => {
        const shape = shapes.get(i)
        if (!shape)
          throw new InvalidArgumentError(
            `layer "${layer.name}": its input "${i}" is neither the model's input nor an earlier layer`,
          )
        return shape
      })
      shapes.set(layer.name, layer.outputShape(given))
    }
    const output = description.output ?? nodes[nodes.length - 1]!.layer.name
    if (!shapes.has(output)) throw new InvalidArgumentError(`model "${name}": no layer is called "${output}"`)
    this.name = name
    this.input = input
    this.nodes = nodes
    this.output = output
    this.shapes = shapes
  }

  /**
   * The exact clear result; `observe` sees every layer with its inputs before it runs.
   * @throws InvalidArgumentError when the input's shape is not the model's
   */
  forward(input: Tensor, observe?: (layer: Layer, inputs: readonly Tensor[]) => void): Tensor {
    return this.evaluate(input, (layer, inputs) => {
      observe?.(layer, inputs)
      return layer.forward(inputs)
    })
  }

  /** Walks the graph with a function per layer. */
  evaluate(input: Tensor, apply: (layer: Layer, inputs: readonly Tensor[]) => Tensor): Tensor {
    if (!sameShape(input.shape, this.input.shape))
      throw new InvalidArgumentError(`model "${this.name}" takes [${this.input.shape}], got [${input.shape}]`)
    const values = new Map<string, Tensor>([[this.input.name, input]])
    for (const { layer, inputs } of this.nodes)
      values.set(
        layer.name,
        apply(
          layer,
          inputs.map((i) => values.get(i)!),
        ),
      )
    return values.get(this.output)!
  }
}
