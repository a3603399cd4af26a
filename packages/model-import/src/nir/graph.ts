/** A NIR graph's edges and shapes: no loops, no loose ends, sizes that fit. */
import {
  checkArgument,
  FormatError,
  InvalidArgumentError,
  type OptionCheck,
  optionCheck,
  UnsupportedError,
} from '@he-ml/ckks-core'
import type { NirGraph, NirNode, NirPair } from './types.ts'

const MAX_VALUES = 2 ** 26

/** What has nodes by name and edges between them; the rest is judged where it is read. */
export const isNirGraph: OptionCheck = (value) => {
  const { nodes, edges } = (optionCheck.object(value) === undefined ? value : {}) as Partial<NirGraph>
  return optionCheck.object(nodes) === undefined && Array.isArray(edges)
    ? undefined
    : 'a graph with nodes and edges, as importNir gives one'
}

/**
 * The nodes in an order in which each comes after all that feed it.
 * @throws FormatError for edges to nowhere or twice, nodes without input or output; UnsupportedError naming the loop of a recurrent graph
 */
export function orderNodes(graph: Pick<NirGraph, 'nodes' | 'edges'>): string[] {
  checkArgument('orderNodes', 'graph', graph, isNirGraph)
  const { nodes, edges } = graph
  const next = new Map<string, string[]>(Object.keys(nodes).map((name) => [name, []]))
  const waits = new Map<string, number>(Object.keys(nodes).map((name) => [name, 0]))
  const seen = new Set<string>()
  for (const [from, to] of edges) {
    for (const name of [from, to])
      if (!next.has(name)) throw new FormatError(`NIR: the edge "${from}" -> "${to}" names "${name}", which is no node`)
    const key = JSON.stringify([from, to])
    if (seen.has(key)) throw new FormatError(`NIR: the edge "${from}" -> "${to}" is there twice`)
    seen.add(key)
    next.get(from)!.push(to)
    waits.set(to, waits.get(to)! + 1)
  }
  for (const [name, node] of Object.entries(nodes)) {
    const isSource = node.type === 'Input'
    if (isSource !== (waits.get(name) === 0))
      throw new FormatError(
        `NIR: node "${name}" (${node.type}) ${isSource ? 'has an input' : 'has no input: remove it'}`,
      )
    if ((node.type === 'Output') !== (next.get(name)!.length === 0))
      throw new FormatError(
        `NIR: node "${name}" (${node.type}) ${node.type === 'Output' ? 'has a successor' : 'leads nowhere: remove it'}`,
      )
  }
  const order = [...waits].filter(([, count]) => count === 0).map(([name]) => name)
  for (const name of order)
    for (const to of next.get(name)!) {
      waits.set(to, waits.get(to)! - 1)
      if (waits.get(to) === 0) order.push(to)
    }
  if (order.length < waits.size) throw recurrent(next, new Set(order))
  return order
}

/** Names one loop among the nodes that could not be ordered. */
function recurrent(next: ReadonlyMap<string, readonly string[]>, ordered: ReadonlySet<string>): UnsupportedError {
  // each of these nodes waits for another of them: going backwards among them must come round
  const before = new Map<string, string>()
  for (const [from, successors] of next) if (!ordered.has(from)) for (const to of successors) before.set(to, from)
  const path: string[] = []
  let name = [...before.keys()].find((n) => !ordered.has(n))!
  while (!path.includes(name)) {
    path.push(name)
    name = before.get(name)!
  }
  const loop = [...path.slice(path.indexOf(name)), name].reverse()
  return new UnsupportedError(
    `NIR: the graph is recurrent: ${loop.map((n) => `"${n}"`).join(' -> ')}: only networks without loops are supported; train one without recurrent connections`,
  )
}

/**
 * The shape that each node puts out, without batch and time.
 * @throws FormatError naming the node whose input does not fit
 */
export function inferShapes(graph: Pick<NirGraph, 'nodes' | 'edges'>): Map<string, readonly number[]> {
  checkArgument('inferShapes', 'graph', graph, isNirGraph)
  const shapes = new Map<string, readonly number[]>()
  const into = new Map<string, string[]>()
  for (const [from, to] of graph.edges) into.set(to, [...(into.get(to) ?? []), from])
  for (const name of orderNodes(graph)) {
    const node = graph.nodes[name]!
    const where = `NIR: node "${name}" (${node.type})`
    const [first, ...others] = (into.get(name) ?? []).map((from) => shapes.get(from)!)
    for (const other of others)
      if (other.join() !== first!.join())
        throw new FormatError(`${where}: its inputs are [${first}] and [${other}], which cannot be added`)
    const shape = outputShape(node, first ?? [], where)
    if (shape.reduce((product, d) => product * d, 1) > MAX_VALUES)
      throw new UnsupportedError(`${where}: [${shape}] is more than ${MAX_VALUES} values`)
    shapes.set(name, shape)
  }
  return shapes
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, d) => product * d, 1)

function outputShape(node: NirNode, input: readonly number[], where: string): readonly number[] {
  const expectSize = (shape: readonly number[]) => {
    // flattened by some writers and not by others: the values count, their arrangement follows from the next node
    if (sizeOf(shape) !== sizeOf(input))
      throw new FormatError(`${where}: expected an input of [${shape}], got [${input}]`)
    return shape
  }
  switch (node.type) {
    case 'Input':
      return node.shape
    case 'Output':
      return expectSize(node.shape)
    case 'Linear':
    case 'Affine':
      expectSize([node.weight.shape[1]!])
      return [node.weight.shape[0]!]
    case 'Flatten':
      return [sizeOf(input)]
    case 'Conv2d': {
      const [outputs, perGroup, ...kernel] = node.weight.shape as [number, number, number, number]
      const size = imageSize(input, perGroup * node.groups, where)
      const { padding } = node
      if (padding === 'same') {
        if (node.stride.some((s) => s !== 1)) throw new FormatError(`${where}: padding "same" needs stride 1`)
        return [outputs, ...size]
      }
      return [outputs, ...windows(size, { ...node, kernel, padding: padding === 'valid' ? [0, 0] : padding }, where)]
    }
    case 'AvgPool2d':
    case 'SumPool2d':
      return [
        input[0]!,
        ...windows(imageSize(input, input[0]!, where), { ...node, kernel: node.kernel_size, dilation: [1, 1] }, where),
      ]
    default:
      return neuronShape(node, input, where)
  }
}

function neuronShape(node: NirNode, input: readonly number[], where: string): readonly number[] {
  const { shape } = 'tau' in node ? node.tau : 'a' in node ? node.a : (node as Extract<NirNode, { type: 'IF' }>).r
  // one set of parameters for all neurons
  if (sizeOf(shape) === 1) return input
  if (sizeOf(shape) !== sizeOf(input))
    throw new FormatError(`${where}: parameters for [${shape}] neurons, the input is [${input}]`)
  return shape
}

function imageSize(input: readonly number[], channels: number, where: string): NirPair {
  if (input.length !== 3 || input[0] !== channels)
    throw new FormatError(`${where}: expected an input of [${channels}, height, width], got [${input}]`)
  return [input[1]!, input[2]!]
}

function windows(
  size: NirPair,
  window: { kernel: readonly number[]; stride: NirPair; padding: NirPair; dilation: NirPair },
  where: string,
): number[] {
  return size.map((length, i) => {
    const reach = window.dilation[i]! * (window.kernel[i]! - 1) + 1
    const places = Math.floor((length + 2 * window.padding[i]! - reach) / window.stride[i]!) + 1
    if (places < 1)
      throw new FormatError(`${where}: a window of ${reach} does not fit ${length} + 2 x ${window.padding[i]}`)
    return places
  })
}

/** @throws InvalidArgumentError unless the name can be one in a file */
export function checkName(name: string): void {
  if (name === '' || name === '.' || name === '..' || name.length > 200 || /[/\0]/.test(name))
    throw new InvalidArgumentError(
      `NIR: expected a node's name of 1 to 200 characters without "/", got ${JSON.stringify(name)}`,
    )
}
