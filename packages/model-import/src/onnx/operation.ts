/** One ONNX node while it is translated: its inputs as constants or values, its attributes, and errors that name it. */
import { FormatError, HeMlError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import type { Layer, Shape } from '@he-ml/model'
import type { NodeProto } from '../generated/onnx-subset_pb.ts'
import { Attributes } from './attributes.ts'
import type { Constant } from './constant.ts'
import type { Constants } from './constants.ts'
import type { Graph, GraphNode } from './graph.ts'
import { BATCH, contiguous, type Dim, dimSize, isBatch, sizesOf, type View } from './view.ts'

/** What operators read and write. */
export interface Context {
  readonly graph: Graph
  readonly constants: Constants
  /** Values that depend on the image. */
  readonly views: Map<string, View>
  /** The input's batch size where the file fixes it. */
  readonly batch: number | undefined
  /** Version of the standard operator set. */
  readonly opset: number
}

export class Operation {
  readonly type: string
  readonly label: string
  readonly attributes: Attributes
  readonly context: Context
  /** Names of the outputs; '' where one is left out. */
  readonly outputs: readonly string[]
  readonly #given: string
  readonly #inputs: readonly string[]
  #name: string | undefined

  constructor(node: NodeProto, index: number, context: Context) {
    this.type = node.opType
    this.context = context
    this.#given = node.name || `${node.opType.toLowerCase()}${index}`
    this.label = `node "${this.#given}" (${node.opType})`
    this.attributes = new Attributes(node, this.label)
    this.#inputs = node.input
    this.outputs = node.output
    if (!node.output[0]) throw new FormatError(`${this.label} has no output`)
  }

  /** Of its layer; taken when first asked for. */
  get name(): string {
    this.#name ??= this.context.graph.uniqueName(this.#given)
    return this.#name
  }
  get inputCount(): number {
    return this.#inputs.length
  }
  has(index: number): boolean {
    return (this.#inputs[index] ?? '') !== ''
  }
  isConstant(index: number): boolean {
    return this.has(index) && this.context.constants.has(this.#inputs[index]!)
  }
  /** Whether nothing it reads depends on the image. */
  get isConstantExpression(): boolean {
    return this.#inputs.every((name) => name === '' || this.context.constants.has(name))
  }
  /** @throws FormatError when there is no such input; UnsupportedError when it depends on the image */
  constant(index: number, what: string): Constant {
    const found = this.has(index) ? this.context.constants.get(this.#inputs[index]!) : undefined
    if (found) return found
    if (!this.has(index)) throw this.malformed(`has no input ${index} (${what})`)
    throw this.unsupported(
      `its ${what} ("${this.#inputs[index]}") is computed from the image, but must be a constant`,
      'export with fixed shapes and weights as initialisers',
    )
  }
  /** A list of whole numbers that does not depend on the batch size. */
  integers(index: number, what: string): number[] {
    const { data, batch } = this.constant(index, what)
    if (batch?.some((b) => b !== 0))
      throw this.unsupported(`its ${what} depends on the batch size`, 'fix the batch size')
    return [...data]
  }
  /** A computed value. @throws FormatError when missing; UnsupportedError for constants and whole numbers */
  view(index: number, options: { readonly integer?: boolean } = {}): View {
    if (!this.has(index)) throw this.malformed(`has no input ${index}`)
    const found = this.context.views.get(this.#inputs[index]!)
    if (!found) throw this.unsupported(`its input ${index} is a constant`, 'give it the computed value there')
    if (found.integer && !options.integer)
      throw this.unsupported(
        `its input ${index} is of whole numbers that depend on the image: their arithmetic rounds`,
        'cast to float before anything else',
      )
    return found
  }
  node(index: number): GraphNode {
    return this.context.graph.node(this.view(index).node)
  }
  /** [channels, height, width] of an input, and the node that holds it in that order. @throws UnsupportedError */
  image(index: number): { readonly id: string; readonly shape: readonly [number, number, number] } {
    const view = this.view(index)
    if (view.dims.length !== 4 || !this.isBatchFirst(view))
      throw this.unsupported(
        `its input has shape ${this.describe(view)}`,
        'use it on [batch, channels, height, width] (two-dimensional images) only',
      )
    const shape = sizesOf(view.dims.slice(1)) as [number, number, number]
    return { id: this.materialise(view, shape), shape }
  }

  /** A node that holds what a view sees in this shape. */
  materialise(view: View, shape: Shape): string {
    return this.context.graph.materialise(view, shape, this.label)
  }
  isBatchFirst({ dims }: View): boolean {
    const [first] = dims
    if (!first || dimSize(first) !== 1) return false
    return isBatch(first) || this.context.batch === 1
  }
  /** [batch, ...shape] of a node's tensor. */
  fresh(id: string): View {
    return { node: id, offset: 0, dims: [this.batchDim, ...contiguous(this.context.graph.node(id).shape)] }
  }
  get batchDim(): Dim {
    return this.context.batch === 1 ? [] : [BATCH]
  }
  emit(view: View): void {
    this.context.views.set(this.outputs[0]!, view)
  }
  /** The result of a layer on nodes, seen as [batch, ...shape]. */
  emitLayer(layer: Layer, inputs: readonly string[]): void {
    this.emit(this.fresh(this.context.graph.addLayer(layer, inputs)))
  }
  /** "[batch,3,32,32]" for messages. */
  describe({ dims }: Pick<View, 'dims'>): string {
    const { batch } = this.context
    const text = (d: Dim) => {
      const size = dimSize(d)
      if (!isBatch(d)) return `${size}`
      return batch === undefined ? (size === 1 ? 'batch' : `batch*${size}`) : `${batch * size}`
    }
    return `[${dims.map(text)}]`
  }

  /** Runs a part of the translation; what layers refuse is a valid file that they do not take. */
  guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof InvalidArgumentError)
        throw new UnsupportedError(`${this.label} does not become a layer: ${error.message}`, { cause: error })
      if (error instanceof HeMlError) throw error
      throw new FormatError(`${this.label} could not be read`, { cause: error })
    }
  }
  unsupported(what: string, instead: string): UnsupportedError {
    return new UnsupportedError(`${this.label}: ${what}; instead, ${instead}`)
  }
  malformed(what: string, cause?: unknown): FormatError {
    return new FormatError(`${this.label} ${what}`, cause === undefined ? {} : { cause })
  }
}

export type Translate = (operation: Operation) => void
