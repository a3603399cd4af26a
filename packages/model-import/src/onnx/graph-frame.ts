/** What a file says around its nodes: operator sets, input, output, and whether the nodes are a graph at all. */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import type { Shape } from '@he-ml/model'
import type { GraphProto, ModelProto, NodeProto, ValueInfoProto } from '../generated/onnx-subset_pb.ts'
import { isFloat } from './constant.ts'
import { MAX_TENSOR_SIZE } from './graph.ts'
import { NEWEST_SET, OLDEST_SET } from './opsets.ts'
import { elementType, elementTypeLabel } from './tensor-data.ts'

export const isStandard = (domain: string): boolean => domain === '' || domain === 'ai.onnx'

/** Version of the standard operator set. @throws UnsupportedError, FormatError */
export function readOpset(model: ModelProto): number {
  const versions = new Set(model.opsetImport.filter((o) => isStandard(o.domain)).map((o) => Number(o.version)))
  if (versions.size > 1)
    throw new FormatError(`ONNX: the file names operator sets ${[...versions].join(' and ')} at once`)
  const [version = 1] = versions
  if (version < OLDEST_SET || version > NEWEST_SET)
    throw new UnsupportedError(
      `ONNX: operator set ${version} is not supported: export with one from ${OLDEST_SET} to ${NEWEST_SET}`,
    )
  return version
}

/**
 * Every name is written once, before it is read.
 * @throws FormatError
 */
export function checkNames(graph: GraphProto): void {
  const defined = new Set([...graph.initializer, ...graph.input].map((v) => v.name))
  graph.node.forEach((node, index) => {
    const label = `node "${node.name || `${node.opType.toLowerCase()}${index}`}" (${node.opType})`
    for (const name of node.input)
      if (name !== '' && !defined.has(name))
        throw new FormatError(
          `${label} reads "${name}", which is neither an initialiser, an input nor the output of an earlier node`,
        )
    for (const name of node.output) {
      if (name !== '' && defined.has(name))
        throw new FormatError(
          `${label} writes "${name}", which exists already: a cycle, or not in static single assignment`,
        )
      defined.add(name)
    }
  })
  for (const { name } of graph.output)
    if (!defined.has(name)) throw new FormatError(`ONNX: the graph's output "${name}" is computed by no node`)
}

/** The nodes that the output depends on, in order, each with its place in the file. */
export function liveNodes(graph: GraphProto, output: string): (readonly [NodeProto, number])[] {
  const wanted = new Set<string>([output])
  const live: (readonly [NodeProto, number])[] = []
  for (let i = graph.node.length - 1; i >= 0; i--) {
    const node = graph.node[i]!
    if (!node.output.some((name) => name !== '' && wanted.has(name))) continue
    live.push([node, i])
    for (const name of node.input) wanted.add(name)
  }
  return live.reverse()
}

export interface GraphInput {
  readonly name: string
  /** Of one image. */
  readonly shape: Shape
  /** Where the file fixes it. */
  readonly batch: number | undefined
  /** Its elements are whole numbers. */
  readonly integer: boolean
}

/** @throws UnsupportedError for other than one input, open sizes, other ranks and types */
export function readInput(graph: GraphProto, wanted: Shape | undefined): GraphInput {
  const constants = new Set(graph.initializer.map((t) => t.name))
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
      `ONNX: the input "${input.name}" is [${dims?.map((d) => d ?? '?') ?? shape}]: expected [batch, channels, height, width] or [batch, features]`,
    )
  const size = shape.reduce((product, d) => product * d, 1)
  if (shape.some((d) => !Number.isInteger(d) || d < 1) || size > MAX_TENSOR_SIZE)
    throw new UnsupportedError(`ONNX: an input [${shape}] is empty or too large`)
  return { name: input.name, shape, batch: dims?.[0], integer: isInteger(input) }
}

function isInteger(info: ValueInfoProto): boolean {
  const type = info.type?.value
  const code = type?.case === 'tensorType' ? type.value.elemType : 0
  if (code === 0) return false
  const name = elementType(code)
  if (!name)
    throw new UnsupportedError(`ONNX: the input "${info.name}" is of ${elementTypeLabel(code)}: expected numbers`)
  return !isFloat(name)
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

/** @throws UnsupportedError for other than one output */
export function readOutput(graph: GraphProto): string {
  const [output] = graph.output
  if (!output || graph.output.length !== 1 || output.name === '')
    throw new UnsupportedError(
      `ONNX: the graph has ${graph.output.length} outputs (${graph.output.map((o) => `"${o.name}"`).join(', ')}): exactly one is supported`,
    )
  return output.name
}
