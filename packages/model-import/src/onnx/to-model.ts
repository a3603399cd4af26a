/** From the graph to a Model: what the output does not need is dropped, then affine functions go into the layer before them. */
import { UnsupportedError } from '@he-ml/ckks-core'
import { createTensor, type Layer, Model, type NodeDescription, type Shape } from '@he-ml/model'
import { BatchNormLayer, Conv2dLayer, conv2d, foldBatchNorm, LinearLayer, linear } from '@he-ml/nn-layers'
import { type Graph, type GraphNode, type InputNode, MAX_TENSOR_SIZE, type PadNode } from './graph.ts'

export interface ModelFrame {
  readonly name: string
  readonly input: { readonly name: string; readonly shape: Shape }
  /** Id of the last node. */
  readonly output: string
}

/** @throws UnsupportedError when something that is no layer is left */
export function toModel(graph: Graph, { name, input, output }: ModelFrame): Model {
  const { nodes: entries, last } = foldAffine(needed(graph, output), output)
  const names = new Map<string, string>()
  const nodes: NodeDescription[] = []
  for (const [id, node] of entries) {
    if (node.kind === 'input') {
      names.set(id, input.name)
      continue
    }
    const layer = asLayer(node)
    names.set(id, layer.name)
    nodes.push({ layer, inputs: node.inputs.map((i) => names.get(i)!) })
  }
  if (nodes.length === 0)
    throw new UnsupportedError(`model "${name}": its output is its input: there is nothing to run`)
  return new Model({ name, input, nodes, output: names.get(last)! })
}

function needed(graph: Graph, output: string): Map<string, GraphNode> {
  const wanted = new Set<string>([output])
  const entries = [...graph.nodes]
  for (let i = entries.length - 1; i >= 0; i--) {
    const [id, node] = entries[i]!
    if (wanted.has(id)) for (const from of node.inputs) wanted.add(from)
  }
  return new Map(entries.filter(([id]) => wanted.has(id)))
}

function foldAffine(nodes: Map<string, GraphNode>, output: string): { nodes: Map<string, GraphNode>; last: string } {
  const readers = new Map<string, number>([[output, 1]])
  for (const { inputs } of nodes.values()) for (const i of inputs) readers.set(i, (readers.get(i) ?? 0) + 1)
  const moved = new Map<string, string>()
  const result = new Map<string, GraphNode>()
  for (const [id, given] of nodes) {
    const node = { ...given, inputs: given.inputs.map((i) => moved.get(i) ?? i) }
    const [source] = node.inputs
    const before = source === undefined ? undefined : result.get(source)
    if (
      node.kind === 'affine' &&
      before?.kind === 'layer' &&
      readers.get(given.inputs[0]!) === 1 &&
      isFoldable(before.layer)
    ) {
      const norm = new BatchNormLayer(node.name, node.multiplier, node.shift)
      result.set(source!, { ...before, layer: foldBatchNorm(before.layer, norm) })
      moved.set(id, source!)
    } else result.set(id, node)
  }
  return { nodes: result, last: moved.get(output) ?? output }
}

const isFoldable = (layer: Layer): layer is Conv2dLayer | LinearLayer =>
  layer instanceof Conv2dLayer || layer instanceof LinearLayer

function asLayer(node: Exclude<GraphNode, InputNode>): Layer {
  if (node.kind === 'layer') return node.layer
  if (node.kind === 'affine') return new BatchNormLayer(node.name, node.multiplier, node.shift)
  if (node.kind === 'pad') return padLayer(node)
  throw new UnsupportedError(
    `"${node.name}": Erf stands alone; only its use inside GELU is supported: use GELU or SiLU`,
  )
}

/** An identity convolution that pads: depthwise, or with rows of zeros for channels that are new. */
function padLayer({ name, shape, padding: rim, channels: [before, after], stride }: PadNode): Layer {
  // the zeros stand around the pixels that the stride takes
  const padding = rim.map((p, side) => p * stride[side % 2]!) as unknown as PadNode['padding']
  const channels = shape[0]!
  const inputs = channels - before - after
  const wide = before + after > 0
  const size = wide ? channels * inputs : channels
  if (size > MAX_TENSOR_SIZE)
    throw new UnsupportedError(`"${name}": padding ${inputs} channels to ${channels} needs ${size} weights, too many`)
  const data = new Float64Array(size)
  for (let c = 0; c < inputs; c++) data[wide ? (before + c) * inputs + c : c] = 1
  if (shape.length === 1) return linear({ name, weights: createTensor([channels, inputs], data) })
  const weights = createTensor(wide ? [channels, inputs, 1, 1] : [channels, 1, 1, 1], data)
  return conv2d({ name, weights, groups: wide ? 1 : channels, padding, stride })
}
