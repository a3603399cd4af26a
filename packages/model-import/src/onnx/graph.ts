/**
 * The graph between ONNX and a Model: layers, and the few things that are no layer of ours but can become part of one (an
 * affine function per channel, padding, erf). Nodes are added in topological order; what can be joined with the node it reads
 * is joined when it is added, whoever else reads that node; what may only be joined when nobody else does waits for `toModel`.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import { type Layer, type Shape, sameShape, sizeOf } from '@he-ml/model'
import { flatten, reshape, select } from '@he-ml/nn-layers'
import { imageWalk, type View } from './view.ts'

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
/** Zeros around an image (top, left, bottom, right) and before and after its channels, of every stride-th pixel. */
export interface PadNode extends Common {
  readonly kind: 'pad'
  readonly padding: readonly [number, number, number, number]
  readonly channels: readonly [before: number, after: number]
  readonly stride: readonly [number, number]
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
  readonly #names = new Set<string>()
  readonly #materialised = new Map<string, string>()

  get nodes(): ReadonlyMap<string, GraphNode> {
    return this.#nodes
  }
  node(id: string): GraphNode {
    return this.#nodes.get(id)!
  }
  /** A name that no other layer has. */
  uniqueName(wanted: string): string {
    let name = wanted
    for (let i = 2; this.#names.has(name); i++) name = `${wanted}_${i}`
    this.#names.add(name)
    return name
  }
  /** @returns its id. @throws UnsupportedError for tensors that are too large */
  add(node: GraphNode): string {
    if (!(sizeOf(node.shape) <= MAX_TENSOR_SIZE))
      throw new UnsupportedError(
        `"${node.name}": a tensor [${node.shape}] is too large: at most ${MAX_TENSOR_SIZE} elements`,
      )
    const id = `#${this.#nodes.size}`
    this.#nodes.set(id, node)
    return id
  }
  addLayer(layer: Layer, inputs: readonly string[]): string {
    const shape = layer.outputShape(inputs.map((i) => this.node(i).shape))
    return this.add({ kind: 'layer', name: layer.name, layer, inputs, shape })
  }

  /** multiplier * x + shift, joined with an affine function before it. */
  addAffine(name: string, input: string, { multiplier, shift }: Pick<AffineNode, 'multiplier' | 'shift'>): string {
    const before = this.node(input)
    if (before.kind === 'affine') {
      const product = multiplier.map((m, c) => m * before.multiplier[c]!)
      const sum = multiplier.map((m, c) => m * before.shift[c]! + shift[c]!)
      const [source] = before.inputs
      if (isIdentity(product, sum)) return source!
      return this.add({ ...before, name, multiplier: product, shift: sum })
    }
    if (isIdentity(multiplier, shift)) return input
    return this.add({ kind: 'affine', name, inputs: [input], shape: before.shape, multiplier, shift })
  }

  /**
   * A node that holds what a view sees, row by row, in this shape.
   * @throws UnsupportedError when the batch does not come first
   */
  materialise(view: View, shape: Shape, label: string): string {
    const atoms = imageWalk(view.dims)
    if (!atoms)
      throw new UnsupportedError(`${label}: its batch dimension is not the first: export with the batch first`)
    const node = this.node(view.node)
    const size = sizeOf(node.shape)
    const inOrder =
      view.offset === 0 &&
      (atoms.length === 0 ? size === 1 : atoms.length === 1 && atoms[0]!.size === size && atoms[0]!.stride === 1)
    if (inOrder && sameShape(node.shape, shape)) return view.node
    const key = JSON.stringify([view.node, view.offset, atoms, shape])
    const found = this.#materialised.get(key)
    if (found) return found
    const base = node.kind === 'input' ? 'input' : node.name
    const id = this.addLayer(this.#renaming({ base, inOrder, offset: view.offset, atoms, shape }), [view.node])
    this.#materialised.set(key, id)
    return id
  }

  #renaming(to: {
    base: string
    inOrder: boolean
    offset: number
    atoms: readonly { size: number; stride: number }[]
    shape: Shape
  }): Layer {
    const { base, inOrder, offset, atoms, shape } = to
    if (!inOrder) {
      const [sizes, strides] = [atoms.map((a) => a.size), atoms.map((a) => a.stride)]
      return select({ name: this.uniqueName(`${base}_select`), offset, sizes, strides, shape })
    }
    if (shape.length === 1) return flatten({ name: this.uniqueName(`${base}_flatten`) })
    return reshape({ name: this.uniqueName(`${base}_reshape`), shape })
  }
}

const isIdentity = (multiplier: Float64Array, shift: Float64Array) =>
  multiplier.every((m) => Math.abs(m - 1) <= 2 ** -22) && shift.every((s) => s === 0)
