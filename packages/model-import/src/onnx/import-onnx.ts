/**
 * ONNX to a Model. The file is data of a stranger: sizes are checked before memory is taken, names before they are used, and
 * everything that goes wrong is a FormatError (the file is broken) or an UnsupportedError (it is fine, but not for us).
 */
import { fromBinary } from '@bufbuild/protobuf'
import { FormatError, HeMlError, UnsupportedError } from '@he-ml/ckks-core'
import type { Model, Shape } from '@he-ml/packing'
import { type GraphProto, type ModelProto, ModelProtoSchema, type ValueInfoProto } from '../generated/onnx-subset_pb.ts'
import { DEFAULT_MAX_BYTES, type ModelSource, readBytes } from '../read-bytes.ts'
import { Graph, MAX_TENSOR_SIZE } from './graph.ts'
import { type Context, Operation } from './operation.ts'
import { OPERATORS, REPLACEMENTS } from './operators/index.ts'
import { type Constant, readTensor } from './tensor-data.ts'

export interface OnnxOptions {
  /** Name of the model; default: the graph's. */
  readonly name?: string
  /** Shape of one image, [channels, height, width] or [features], where the file leaves it open. */
  readonly inputShape?: Shape
  /** Largest file accepted; default 512 MiB. */
  readonly maxBytes?: number
}

/**
 * Reads an ONNX file.
 * @throws FormatError for a broken file; UnsupportedError naming the node, the operator and what could replace it
 * @example
 * ```ts no-run
 * const model = await importOnnx('lenet5.onnx')
 * console.log(model.input.shape, model.nodes.map((n) => n.layer.kind))
 * ```
 */
export async function importOnnx(source: ModelSource, options: OnnxOptions = {}): Promise<Model> {
  return parseOnnx(await readBytes(source, options.maxBytes), options)
}

/** The same from bytes, at once. @throws FormatError, UnsupportedError */
export function parseOnnx(bytes: Uint8Array, options: OnnxOptions = {}): Model {
  const { maxBytes = DEFAULT_MAX_BYTES } = options
  if (bytes.length > maxBytes)
    throw new FormatError(`ONNX: ${bytes.length} bytes, the limit is ${maxBytes}: raise maxBytes`)
  const model = decode(bytes)
  const { graph } = model
  if (!graph || graph.node.length === 0) throw new FormatError('ONNX: the file holds no graph with nodes')
  checkOpset(model)
  const constants = readInitializers(graph)
  const input = readInput(graph, constants, options.inputShape)
  const output = onlyOutput(graph)
  const context: Context = {
    graph: new Graph(countUses(graph)),
    constants,
    batch: input.batch,
  }
  context.graph.uniqueName(input.name)
  context.graph.set(input.name, { kind: 'input', name: input.name, inputs: [], shape: input.shape })
  translate(graph, context)
  if (!context.graph.node(output)) throw new FormatError(`ONNX: the graph's output "${output}" is computed by no node`)
  return typed(() =>
    context.graph.toModel(options.name ?? (graph.name || 'onnx'), { name: input.name, shape: input.shape }, output),
  )
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

function translate(graph: GraphProto, context: Context): void {
  const defined = new Set<string>([...context.constants.keys(), ...graph.input.map((i) => i.name)])
  graph.node.forEach((node, index) => {
    const operation = new Operation(node, index, context)
    for (const name of node.output) {
      if (name !== '' && defined.has(name))
        throw operation.malformed(`writes "${name}", which exists already: a cycle, or not in static single assignment`)
      defined.add(name)
    }
    const known = OPERATORS.get(node.opType)
    if (!known || (node.domain !== '' && node.domain !== 'ai.onnx'))
      throw operation.unsupported(
        `the operator ${node.domain === '' ? '' : `${node.domain}.`}${node.opType} is not supported`,
        REPLACEMENTS.get(node.opType) ?? `build the network from ${[...OPERATORS.keys()].join(', ')}`,
      )
    operation.guarded(() => {
      known(operation)
      operation.attributes.finish()
    })
  })
}

function checkOpset(model: ModelProto): void {
  const standard = model.opsetImport.find((o) => o.domain === '' || o.domain === 'ai.onnx')
  const version = Number(standard?.version ?? 0n)
  if (version < 7 || version > 30)
    throw new UnsupportedError(`ONNX: operator set ${version} is not supported: export with one from 7 to 30`)
}

function readInitializers(graph: GraphProto): Map<string, Constant> {
  const constants = new Map<string, Constant>()
  for (const tensor of graph.initializer) {
    if (tensor.name === '' || constants.has(tensor.name))
      throw new FormatError(`ONNX: an initialiser is named "${tensor.name}", which is empty or taken`)
    constants.set(tensor.name, readTensor(tensor, `"${tensor.name}"`))
  }
  return constants
}

function readInput(graph: GraphProto, constants: Map<string, Constant>, wanted: Shape | undefined) {
  const inputs = graph.input.filter((i) => !constants.has(i.name))
  const [input] = inputs
  if (!input || inputs.length !== 1)
    throw new UnsupportedError(
      `ONNX: the graph has ${inputs.length} inputs (${inputs.map((i) => `"${i.name}"`).join(', ')}): exactly one is supported`,
    )
  if (input.name === '') throw new FormatError('ONNX: the input has no name')
  const dims = dimensions(input)
  const open = dims?.slice(1).some((d) => d === undefined) ?? true
  const shape = wanted ?? (open ? undefined : (dims!.slice(1) as number[]))
  if (!shape) throw new UnsupportedError(`ONNX: the input "${input.name}" has open sizes: give inputShape`)
  if (dims && wanted && (dims.length !== wanted.length + 1 || wanted.some((d, i) => (dims[i + 1] ?? d) !== d)))
    throw new UnsupportedError(`ONNX: inputShape [${wanted}] does not fit the file's [${dims.map((d) => d ?? '?')}]`)
  if (shape.length !== 1 && shape.length !== 3)
    throw new UnsupportedError(
      `ONNX: the input is [${dims?.map((d) => d ?? '?') ?? shape}]: expected [batch, channels, height, width] or [batch, features]`,
    )
  const size = shape.reduce((product, d) => product * d, 1)
  if (shape.some((d) => !Number.isInteger(d) || d < 1) || size > MAX_TENSOR_SIZE)
    throw new UnsupportedError(`ONNX: an input [${shape}] is empty or too large`)
  return { name: input.name, shape, batch: dims?.[0] }
}

/** Sizes, undefined where they are open; undefined altogether when the file does not say. */
function dimensions(info: ValueInfoProto): (number | undefined)[] | undefined {
  const type = info.type?.value
  if (type?.case !== 'tensorType') return undefined
  return type.value.shape?.dim.map((d) => {
    if (d.value.case !== 'dimValue') return undefined
    const size = Number(d.value.value)
    return size >= 1 ? size : undefined
  })
}

function onlyOutput(graph: GraphProto): string {
  const [output] = graph.output
  if (!output || graph.output.length !== 1 || output.name === '')
    throw new UnsupportedError(`ONNX: the graph has ${graph.output.length} outputs: exactly one is supported`)
  return output.name
}

function countUses(graph: GraphProto): Map<string, number> {
  const uses = new Map<string, number>()
  for (const name of [...graph.node.flatMap((n) => n.input), ...graph.output.map((o) => o.name)])
    uses.set(name, (uses.get(name) ?? 0) + 1)
  return uses
}

function typed<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof UnsupportedError) throw error
    if (error instanceof HeMlError) throw new FormatError(`ONNX: ${error.message}`, { cause: error })
    throw error
  }
}
