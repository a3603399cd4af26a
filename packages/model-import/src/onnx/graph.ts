/**
 * The graph between ONNX and a Model: layers, and the few things that are no layer of ours but can become part of one (an
 * affine function per channel, padding, erf, a product). Nodes are added in topological order; adding one looks back and
 * fuses where its input is used by nobody else.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import { BatchNormLayer, Conv2dLayer, conv2d, foldBatchNorm, LinearLayer } from '@he-ml/nn-layers'
import { createTensor, type Layer, Model, type ModelNode, type Shape, sizeOf } from '@he-ml/packing'

/** Largest tensor accepted, in elements per image. */
export const MAX_TENSOR_SIZE = 2 ** 26

interface Common {
  /** The layer's name to be. */
  readonly name: string
  readonly inputs: readonly string[]
  /** Without the batch dimension. */
  readonly shape: Shape
}

/** multiplier * x + shift, per channel. */
export interface AffineNode extends Common {
  readonly kind: 'affine'
  readonly multiplier: Float64Array
  readonly shift: Float64Array
}
export interface LayerNode extends Common {
  readonly kind: 'layer'
  readonly layer: Layer
}
/** Zeros around an image: top, left, bottom, right. */
export interface PadNode extends Common {
  readonly kind: 'pad'
  readonly padding: readonly [number, number, number, number]
}
export interface ErfNode extends Common {
  readonly kind: 'erf'
}
export interface InputNode extends Common {
  readonly kind: 'input'
}
export type GraphNode = AffineNode | LayerNode | PadNode | ErfNode | InputNode

export class Graph {
  readonly #nodes = new Map<string, GraphNode>()
  readonly #aliases = new Map<string, string>()
  readonly #uses: Map<string, number>
  readonly #names = new Set<string>()

  /** @param uses how often each value is read in the file, the graph's output included */
  constructor(uses: Map<string, number>) {
    this.#uses = uses
  }

  /** The value behind renamings. */
  resolve(id: string): string {
    return this.#aliases.get(id) ?? id
  }
  node(id: string): GraphNode | undefined {
    return this.#nodes.get(this.resolve(id))
  }
  /** Whether nobody but one reader needs this value. */
  hasOneUse(id: string): boolean {
    return (this.#uses.get(this.resolve(id)) ?? 0) <= 1
  }
  /** A name that no other layer has. */
  uniqueName(wanted: string): string {
    let name = wanted
    for (let i = 2; this.#names.has(name); i++) name = `${wanted}_${i}`
    this.#names.add(name)
    return name
  }
  /** Makes `id` another name of `target`. */
  alias(id: string, target: string): void {
    const real = this.resolve(target)
    this.#aliases.set(id, real)
    this.#uses.set(real, (this.#uses.get(real) ?? 1) - 1 + (this.#uses.get(id) ?? 0))
  }
  /** @throws UnsupportedError for tensors that are too large */
  set(id: string, node: GraphNode): void {
    if (!(sizeOf(node.shape) <= MAX_TENSOR_SIZE))
      throw new UnsupportedError(
        `"${node.name}": a tensor [${node.shape}] is too large: at most ${MAX_TENSOR_SIZE} elements`,
      )
    this.#nodes.set(id, node)
  }
  addLayer(id: string, layer: Layer, inputs: readonly string[]): void {
    const real = inputs.map((i) => this.resolve(i))
    const shape = layer.outputShape(real.map((i) => this.#nodes.get(i)!.shape))
    this.set(id, { kind: 'layer', name: layer.name, layer, inputs: real, shape })
  }

  /** multiplier * x + shift; folded into a convolution, linear layer or affine function before it where that is alone. */
  addAffine(id: string, name: string, input: string, numbers: { multiplier: Float64Array; shift: Float64Array }): void {
    const source = this.resolve(input)
    const before = this.#nodes.get(source)!
    const alone = this.hasOneUse(source)
    if (alone && before.kind === 'affine') {
      const multiplier = numbers.multiplier.map((m, c) => m * before.multiplier[c]!)
      const shift = numbers.multiplier.map((m, c) => m * before.shift[c]! + numbers.shift[c]!)
      if (isIdentity(multiplier, shift)) {
        this.alias(id, before.inputs[0]!)
        return
      }
      this.set(id, { ...before, multiplier, shift })
    } else if (isIdentity(numbers.multiplier, numbers.shift)) this.alias(id, source)
    else if (alone && before.kind === 'layer' && isFoldable(before.layer)) {
      const norm = new BatchNormLayer(name, numbers.multiplier, numbers.shift)
      this.set(id, { ...before, layer: foldBatchNorm(before.layer, norm) })
    } else this.set(id, { kind: 'affine', name, inputs: [source], shape: before.shape, ...numbers })
  }

  /**
   * The layers that the output depends on, as a model.
   * @throws UnsupportedError when something that is no layer is left
   */
  toModel(name: string, input: { name: string; shape: Shape }, output: string): Model {
    const last = this.resolve(output)
    const needed = new Set<string>([last])
    const entries = [...this.#nodes]
    for (let i = entries.length - 1; i >= 0; i--) {
      const [id, node] = entries[i]!
      if (needed.has(id)) for (const from of node.inputs) needed.add(from)
    }
    const names = new Map<string, string>()
    const nodes: ModelNode[] = []
    for (const [id, node] of entries) {
      if (node.kind === 'input') names.set(id, input.name)
      if (!needed.has(id) || node.kind === 'input') continue
      const layer = asLayer(node)
      names.set(id, layer.name)
      nodes.push({ layer, inputs: node.inputs.map((i) => names.get(i)!) })
    }
    if (nodes.length === 0)
      throw new UnsupportedError(`model "${name}": its output is its input: there is nothing to run`)
    return new Model({ name, input, nodes, output: names.get(last)! })
  }
}

const isIdentity = (multiplier: Float64Array, shift: Float64Array) =>
  multiplier.every((m) => Math.abs(m - 1) <= 2 ** -22) && shift.every((s) => s === 0)

const isFoldable = (layer: Layer): layer is Conv2dLayer | LinearLayer =>
  layer instanceof Conv2dLayer || layer instanceof LinearLayer

function asLayer(node: Exclude<GraphNode, InputNode>): Layer {
  if (node.kind === 'layer') return node.layer
  if (node.kind === 'affine') return new BatchNormLayer(node.name, node.multiplier, node.shift)
  if (node.kind === 'erf')
    throw new UnsupportedError(
      `"${node.name}": Erf stands alone; only its use inside GELU is supported: use GELU or SiLU`,
    )
  // an identity convolution that pads
  const channels = node.shape[0]!
  const weights = createTensor([channels, 1, 1, 1], new Float64Array(channels).fill(1))
  return conv2d({ name: node.name, weights, groups: channels, padding: node.padding })
}
