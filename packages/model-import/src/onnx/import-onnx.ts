/**
 * ONNX to a Model. The file is data of a stranger: sizes are checked before memory is taken, names before they are used, and
 * everything that goes wrong is a FormatError (the file is broken) or an UnsupportedError (it is fine, but not for us). Nodes
 * that the output does not need are dropped first, then what depends on constants only is computed, then the rest is judged.
 */
import { fromBinary } from '@bufbuild/protobuf'
import { checkArgument, FormatError, HeMlError, optionCheck, UnsupportedError } from '@he-ml/ckks-core'
import type { Model, Shape } from '@he-ml/model'
import { type GraphProto, type ModelProto, ModelProtoSchema } from '../generated/onnx-subset_pb.ts'
import { aboutSource, assertModelSize, type ModelSource, readBytes } from '../read-bytes.ts'
import { Constants } from './constants.ts'
import { Graph } from './graph.ts'
import { checkNames, type GraphInput, liveNodes, readInput, readOpset, readOutput } from './graph-frame.ts'
import type { Context } from './operation.ts'
import { toModel } from './to-model.ts'
import { checkRead, translateNode } from './translate.ts'
import { BATCH, contiguous, isBatch, sizesOf, type View } from './view.ts'

/** Options of {@link importOnnx}. */
export interface OnnxOptions {
  /** Name of the model; default: the graph's. */
  readonly name?: string
  /** Shape of one image as the file has it without the batch, where the file leaves it open. */
  readonly inputShape?: Shape
  /** Largest file accepted; default 512 MiB. */
  readonly maxBytes?: number
}

/**
 * Reads an ONNX file.
 * @throws FormatError for a broken file; UnsupportedError naming the node, the operator and what could replace it, or for more
 *   than `maxBytes`; FileSystemError when a path cannot be read; InvalidArgumentError for a pipe or a device
 * @example
 * ```ts no-run
 * const model = await importOnnx('lenet5.onnx')
 * console.log(model.input.shape, model.nodes.map((n) => n.layer.kind))
 * ```
 */
export async function importOnnx(source: ModelSource, options: OnnxOptions = {}): Promise<Model> {
  return aboutSource(source, async () => parseOnnx(await readBytes(source, options?.maxBytes), options))
}

/** The same from bytes, at once. @throws FormatError, UnsupportedError */
export function parseOnnx(bytes: Uint8Array, options: OnnxOptions = {}): Model {
  checkArgument('parseOnnx', 'bytes', bytes, optionCheck.bytes)
  assertModelSize('ONNX', bytes.length, options.maxBytes)
  const model = decode(bytes)
  const { graph } = model
  if (!graph || graph.node.length === 0) throw new FormatError('ONNX: the file holds no graph with nodes')
  const opset = readOpset(model)
  const constants = new Constants(graph.initializer, bytes.length)
  checkNames(graph)
  const output = readOutput(graph)
  const input = readInput(graph, options.inputShape)
  const context: Context = { graph: new Graph(), constants, views: new Map(), batch: input.batch, opset }
  addInput(context, input)
  for (const [node, index] of liveNodes(graph, output)) {
    checkRead(node, index, context)
    translateNode(node, index, context)
  }
  return typed(() => finish(context, { graph, input, output, ...(options.name ? { name: options.name } : {}) }))
}

function decode(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false })
  } catch (cause) {
    throw new FormatError(`ONNX: not a well-formed model (${cause instanceof Error ? cause.message : cause})`, {
      cause,
    })
  }
}

function addInput({ graph, views, batch }: Context, { name, shape, integer }: GraphInput): void {
  graph.uniqueName(name)
  const node = graph.add({ kind: 'input', name, inputs: [], shape })
  views.set(name, { node, offset: 0, dims: [batch === 1 ? [] : [BATCH], ...contiguous(shape)], integer })
}

interface Finish {
  readonly graph: GraphProto
  readonly input: GraphInput
  readonly output: string
  readonly name?: string
}

function finish(context: Context, { graph: proto, input, output, name }: Finish): Model {
  const view = context.views.get(output)
  if (!view)
    throw new UnsupportedError(
      `ONNX: the output "${output}" does not depend on the input: it is a constant, or an output of training`,
    )
  const id = context.graph.materialise(view, outputShape(view, context), `ONNX: the output "${output}"`)
  return toModel(context.graph, { name: name ?? (proto.name || 'onnx'), input, output: id })
}

/** Without the batch; a single number is a list of one. */
function outputShape({ dims }: View, { batch }: Context): Shape {
  const sizes = sizesOf(dims)
  const [first] = dims
  const isFirst = first !== undefined && sizes[0] === 1 && (isBatch(first) || batch === 1)
  const shape = isFirst ? sizes.slice(1) : sizes
  return shape.length === 0 ? [1] : shape
}

function typed<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof FormatError) throw error
    if (error instanceof HeMlError) throw new UnsupportedError(`ONNX: ${error.message}`, { cause: error })
    throw error
  }
}
