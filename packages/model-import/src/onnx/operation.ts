/** One ONNX node while it is translated: its inputs as constants or values, its attributes, and errors that name it. */
import { FormatError, HeMlError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import type { Layer, Shape } from '@he-ml/packing'
import type { NodeProto } from '../generated/onnx-subset_pb.ts'
import { Attributes } from './attributes.ts'
import type { Graph, GraphNode } from './graph.ts'
import type { Constant } from './tensor-data.ts'

/** What operators read and write. */
export interface Context {
  readonly graph: Graph
  readonly constants: Map<string, Constant>
  /** The input's batch size where the file fixes it. */
  readonly batch: number | undefined
}

export class Operation {
  readonly type: string
  readonly label: string
  readonly name: string
  readonly attributes: Attributes
  readonly context: Context
  readonly output: string
  readonly #inputs: readonly string[]

  constructor(node: NodeProto, index: number, context: Context) {
    this.type = node.opType
    this.context = context
    const given = node.name || `${node.opType.toLowerCase()}${index}`
    this.label = `node "${given}" (${node.opType})`
    this.name = context.graph.uniqueName(given)
    this.attributes = new Attributes(node, this.label)
    this.#inputs = node.input
    const [output] = node.output
    if (!output) throw new FormatError(`${this.label} has no output`)
    this.output = output
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
  /** @throws FormatError when there is no such input; UnsupportedError when it is computed */
  constant(index: number, what: string): Constant {
    const found = this.has(index) ? this.context.constants.get(this.#inputs[index]!) : undefined
    if (found) return found
    if (!this.has(index)) throw this.malformed(`has no input ${index} (${what})`)
    this.#existing(index)
    throw this.unsupported(
      `its ${what} is computed in the graph, but must be a constant`,
      'export with fixed shapes and weights as initialisers (constant folding on)',
    )
  }
  /** Name of a computed value. @throws FormatError when missing; UnsupportedError when it is a constant */
  value(index: number): string {
    if (!this.has(index)) throw this.malformed(`has no input ${index}`)
    if (this.isConstant(index))
      throw this.unsupported(`its input ${index} is a constant`, 'fold constants before the export')
    this.#existing(index)
    return this.#inputs[index]!
  }
  node(index: number): GraphNode {
    return this.context.graph.node(this.value(index))!
  }
  shape(index: number): Shape {
    return this.node(index).shape
  }
  /** [channels, height, width] of an input. @throws UnsupportedError for other ranks */
  image(index: number): readonly [number, number, number] {
    const shape = this.shape(index)
    if (shape.length !== 3)
      throw this.unsupported(
        `its input has shape [batch,${shape}]`,
        'use it on [batch, channels, height, width] (two-dimensional images) only',
      )
    return shape as unknown as readonly [number, number, number]
  }

  addLayer(layer: Layer, inputs: readonly string[] = [this.value(0)]): void {
    this.context.graph.addLayer(this.output, layer, inputs)
  }

  /** Runs a part of the translation; errors of layers get the node's label. */
  guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw this.malformed(`does not fit: ${error.message}`, error)
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

  #existing(index: number): void {
    const name = this.#inputs[index]!
    if (!this.context.graph.node(name))
      throw this.malformed(
        `reads "${name}", which is neither an initialiser, the model's input nor the output of an earlier node`,
      )
  }
}

export type Translate = (operation: Operation) => void
