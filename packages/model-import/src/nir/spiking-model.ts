/**
 * A NIR graph in discrete time, as the spiking network that our layers run: differential equations become recurrences, what neurons
 * multiply their input by and add to it becomes a scale and a shift before them. Chains only.
 */
import { checkArgument, InvalidArgumentError, optionCheck, UnsupportedError } from '@he-ml/ckks-core'
import {
  checkNetwork,
  type NetworkDescription,
  type NetworkRecipe,
  type Neuron,
  networkSchema,
  type Reset,
  type SpikingModel,
  type SpikingTensor,
} from '@he-ml/model/spiking'
import { inferShapes, isNirGraph, orderNodes } from './graph.ts'
import { neuronRecurrence, type RecurrenceOptions } from './recurrence.ts'
import type {
  NirArray,
  NirAvgPool2d,
  NirConv2d,
  NirGraph,
  NirIf,
  NirLif,
  NirNode,
  NirPair,
  NirQif,
  NirSumPool2d,
} from './types.ts'

/** Options of networks of NIR as spiking models. */
export interface NirModelOptions extends RecurrenceOptions {
  /** Steps of dt that the network runs; 1 to 1,024. */
  readonly timeSteps: number
  /** Whether a sample is one tensor, the same at every step, or a frame for each. Default 'static'. */
  readonly inputTime?: 'static' | 'perStep'
  /** Of the network; default "nir". */
  readonly name?: string
}

type Recipe = NetworkRecipe['layers'][number]

/**
 * The network of a graph: a chain of linear layers, convolutions, pooling and neurons (LIF, IF and our QIF), alike within a channel after
 * scaling. The membrane's reset is v_reset, which must be 0, or a subtraction where the node's metadata says `reset: "subtract"`. Neurons fire
 * at the threshold, where NIR's fire above it.
 *
 * @throws UnsupportedError naming the node and what to do: branches, LI, windows or constants that our layers do not have;
 *   InvalidArgumentError for options out of range
 * @example
 * ```ts no-run
 * import { buildSpikingModel, functionalSpikeStep } from '@he-ml/snn-layers'
 * const network = spikingModelOfNir(await importNir('network.nir'), { dt: 1e-3, timeSteps: 5 })
 * const model = buildSpikingModel(network, { step: functionalSpikeStep() })
 * ```
 */
export function spikingModelOfNir(graph: NirGraph, options: NirModelOptions): SpikingModel {
  checkArgument('spikingModelOfNir', 'graph', graph, isNirGraph)
  checkArgument('spikingModelOfNir', 'options', options, optionCheck.object)
  const { timeSteps, inputTime = 'static', name = 'nir' } = options
  if (!Number.isInteger(timeSteps) || timeSteps < 1 || timeSteps > 1024)
    throw new InvalidArgumentError(`NIR: timeSteps must be an integer from 1 to 1024, got ${timeSteps}`)
  const chain = chainOf(graph)
  const shapes = inferShapes(graph)
  const end = shapes.get(chain.at(-1)!)!
  if (end.length !== 1)
    throw new UnsupportedError(
      `NIR: the network ends in [${end}]: networks that run encrypted end in classes: add a Flatten`,
    )
  const writer = new ChainWriter(options)
  for (const node of chain) writer.add(node, graph.nodes[node]!, shapes.get(node)!)
  const [input] = chain as [string]
  const network: NetworkDescription = networkSchema.parse({
    name,
    inputShape: shapes.get(input)!,
    timeSteps,
    inputTime,
    layers: writer.layers,
  })
  checkNetwork(network)
  return { network, tensors: writer.tensors, about: { source: `NIR ${graph.version}`, dt: options.dt } }
}

/** Names from input to output. @throws UnsupportedError where a node has several predecessors or successors */
function chainOf(graph: NirGraph): string[] {
  for (const side of [0, 1] as const) {
    const seen = new Set<string>()
    for (const edge of graph.edges) {
      if (seen.has(edge[side]))
        throw new UnsupportedError(
          `NIR: several edges ${side === 0 ? 'leave' : 'meet in'} node "${edge[side]}": only chains run encrypted`,
        )
      seen.add(edge[side])
    }
  }
  const order = orderNodes(graph)
  if (order.filter((name) => graph.nodes[name]!.type === 'Input').length > 1)
    throw new UnsupportedError('NIR: the graph has several inputs: only chains run encrypted')
  return order
}

class ChainWriter {
  readonly layers: Recipe[] = []
  readonly tensors = new Map<string, SpikingTensor>()
  readonly #options: RecurrenceOptions
  readonly #names = new Set<string>()
  /** Sums over windows are averages times this, which the next weights take. */
  #waiting = 1

  constructor(options: RecurrenceOptions) {
    this.#options = options
  }

  /** @param shape of the node's result */
  add(from: string, node: NirNode, shape: readonly number[]): void {
    if (node.type === 'Output' && this.#waiting !== 1) this.#scaled(`${from}-scale`, shape, ONE, ZERO)
    else if (node.type === 'Linear' || node.type === 'Affine')
      this.#weighted(from, node, { kind: 'linear', outFeatures: node.weight.shape[0]! })
    else if (node.type === 'Conv2d') this.#weighted(from, node, convolution(from, node))
    else if (node.type === 'AvgPool2d' || node.type === 'SumPool2d') this.#pool(from, node)
    else if (node.type === 'Flatten') this.#put(from, { kind: 'flatten' })
    else if (node.type === 'LI')
      throw new UnsupportedError(
        `NIR: node "${from}" (LI) gives membranes: encrypted networks give spikes, or the mean of the last weighted sum: leave the node out`,
      )
    else if (node.type !== 'Input' && node.type !== 'Output') this.#neurons(from, node, shape)
  }

  #pool(from: string, { type, kernel_size, stride, padding }: NirAvgPool2d | NirSumPool2d): void {
    const kernel = square(from, 'kernel_size', kernel_size)
    if (padding.some((p) => p !== 0))
      throw new UnsupportedError(`NIR: node "${from}" (${type}) pads: only pooling without padding is supported`)
    if (type === 'SumPool2d') this.#waiting *= kernel ** 2
    this.#put(from, { kind: 'averagePool2d', kernel, stride: square(from, 'stride', stride) })
  }

  #weighted(from: string, node: { readonly weight: NirArray; readonly bias?: NirArray }, layer: object): void {
    const name = this.#put(from, { ...layer, bias: node.bias !== undefined })
    const { shape, data } = node.weight
    this.tensors.set(`${name}.weight`, { shape, data: Float32Array.from(data, (w) => w * this.#waiting) })
    this.#waiting = 1
    if (node.bias) this.tensors.set(`${name}.bias`, { shape: node.bias.shape, data: Float32Array.from(node.bias.data) })
  }

  #neurons(from: string, node: NirLif | NirIf | NirQif, shape: readonly number[]): void {
    const { neuron, gain, offset } =
      node.type === 'HeMlQIF' ? quadratic(from, node) : integrateAndFire(from, node, this.#options)
    const isTrivial = this.#waiting === 1 && node.v_threshold.data.every((_, i) => gain(i) === 1 && offset(i) === 0)
    if (!isTrivial) this.#scaled(`${from}-input`, shape, gain, offset)
    this.#put(from, { kind: 'neuron', neuron, surrogate: { kind: 'rectangle', width: neuron.threshold } })
  }

  /** Scale and shift of each channel. */
  #scaled(from: string, shape: readonly number[], scale: (i: number) => number, shift: (i: number) => number): void {
    const [channels] = shape as [number]
    const each = shape.reduce((a, b) => a * b, 1) / channels
    const of = (value: (i: number) => number, factor: number): Float32Array =>
      Float32Array.from({ length: channels }, (_, c) => {
        for (let i = 1; i < each; i++)
          if (value(c * each + i) !== value(c * each))
            throw new UnsupportedError(
              `NIR: node "${from}": neurons of one channel differ: give them the same constants`,
            )
        return factor * value(c * each)
      })
    const name = this.#put(from, { kind: 'affine' })
    this.tensors.set(`${name}.scale`, { shape: [channels], data: of(scale, this.#waiting) })
    this.tensors.set(`${name}.shift`, { shape: [channels], data: of(shift, 1) })
    this.#waiting = 1
  }

  /** A layer under a name that our files may have. */
  #put(from: string, layer: object): string {
    const base = from
      .replace(/[^A-Za-z0-9_-]/g, '-')
      .replace(/^(?![A-Za-z])/, 'n')
      .slice(0, 56)
    let name = base
    for (let i = 2; this.#names.has(name); i++) name = `${base}-${i}`
    this.#names.add(name)
    this.layers.push({ ...layer, name } as Recipe)
    return name
  }
}

function convolution(from: string, node: NirConv2d): object {
  const [outChannels, , height, width] = node.weight.shape as [number, number, number, number]
  if (node.dilation.some((d) => d !== 1))
    throw new UnsupportedError(`NIR: node "${from}" (Conv2d) is dilated: only dilations of 1 are supported`)
  const stride = square(from, 'stride', node.stride)
  if (node.padding === 'same' && (height !== width || height % 2 === 0 || stride !== 1))
    throw new UnsupportedError(
      `NIR: node "${from}" (Conv2d) has padding "same" with a kernel of ${height} x ${width} and stride ${stride}: only odd squares with stride 1 are supported`,
    )
  const padding =
    node.padding === 'same' ? (height - 1) / 2 : node.padding === 'valid' ? 0 : square(from, 'padding', node.padding)
  return { kind: 'conv2d', outChannels, kernel: [height, width], stride, padding, groups: node.groups }
}

function square(from: string, field: string, [a, b]: NirPair): number {
  if (a === b) return a
  throw new UnsupportedError(`NIR: node "${from}": ${field} is ${a} x ${b}: only squares are supported`)
}

const ONE = (): number => 1
const ZERO = (): number => 0

interface Cell {
  readonly neuron: Neuron
  /** Of each neuron: what its input is multiplied by, and what is added then. */
  readonly gain: (i: number) => number
  readonly offset: (i: number) => number
}

/** Thresholds that differ become 1, and the inputs go by them; where all are equal they stay. */
function integrateAndFire(from: string, node: NirLif | NirIf, options: RecurrenceOptions): Cell {
  const { beta, gain, offset } = neuronRecurrence(node, options)
  const { data } = node.v_threshold
  const isOne = data.every((threshold) => threshold === data[0])
  const unit = (i: number): number => (isOne ? 1 : data[i]!)
  if (!data.every((threshold) => threshold > 0))
    throw new UnsupportedError(`NIR: node "${from}" (${node.type}) has thresholds of 0 or less`)
  const neuron: Neuron = {
    kind: 'lif',
    beta: uniform(from, 'decay', beta),
    threshold: isOne ? data[0]! : 1,
    reset: resetOf(from, node),
  }
  return { neuron, gain: (i) => gain.data[i]! / unit(i), offset: (i) => offset.data[i]! / unit(i) }
}

function quadratic(from: string, node: NirQif): Cell {
  const neuron: Neuron = {
    kind: 'qif',
    a: uniform(from, 'a', node.a),
    u1: uniform(from, 'u1', node.u1),
    u2: uniform(from, 'u2', node.u2),
    threshold: uniform(from, 'v_threshold', node.v_threshold),
    reset: resetOf(from, node),
  }
  return { neuron, gain: ONE, offset: ZERO }
}

function uniform(from: string, field: string, { data }: NirArray): number {
  if (data.every((value) => value === data[0])) return data[0]!
  throw new UnsupportedError(`NIR: node "${from}": neurons differ in their ${field}: give all of a layer the same`)
}

function resetOf(from: string, node: NirLif | NirIf | NirQif): Reset {
  if (node.v_reset.data.some((v) => v !== 0))
    throw new UnsupportedError(`NIR: node "${from}" (${node.type}) resets to other potentials than 0`)
  return node.metadata?.reset === 'subtract' ? 'subtract' : 'zero'
}
