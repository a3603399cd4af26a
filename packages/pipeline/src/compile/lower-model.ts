/** Every layer of a model bound to layouts, in order; levels come later. */
import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import {
  type GraphLayer,
  isCalibrated,
  isMultiOutput,
  type Layer,
  type Model,
  type ModelNode,
  sameShape,
} from '@he-ml/model'
import {
  gapsWanted,
  isLowerable,
  joinRefreshes,
  type LowerContext,
  type LoweredLayer,
  lowerLayer,
  type SlotLayout,
} from '@he-ml/packing'
import type { GapPolicy, Network, NetworkNode } from '../program/network.ts'
import { inStreams } from './streams.ts'
import { type TileGroups, Tiling } from './tiling.ts'
import { TOGETHER } from './together.ts'

export interface LowerOptions {
  readonly gaps?: GapPolicy
  /** Groups of ciphertexts of a batch that go through its first layers at a time; default two. */
  readonly tile?: TileGroups
  /** Whether layers may join two real inputs in a complex slot; default yes. */
  readonly pairs?: boolean
  /** Whether anybody will ask what layers cost; default yes. */
  readonly priced?: boolean
}

/**
 * Lowers every layer, in order; those that nothing reads are left out. A layer that several nodes share is lowered once for
 * the same layouts, so that they share its weights. A batch of several groups of ciphertexts is lowered tile by tile.
 *
 * @param model unrolled: see `unroll`
 * @param inputLayout of its input, or of each frame
 * @throws UnsupportedError when a layer cannot run on its input's layout, or not at all
 */
export function lowerModel(
  model: Model,
  inputLayout: SlotLayout,
  maxSlots: number,
  { gaps = 'wanted', tile = 2, pairs = true, priced = true }: LowerOptions = {},
): Network {
  if (model.inputs.includes(model.output))
    throw new UnsupportedError(
      `model "${model.name}": its output "${model.output}" is its input, nothing is computed of it: name a layer as output`,
    )
  const shared = new SharedCircuits()
  const tiling = new Tiling(model, inputLayout, tile)
  const { layouts } = tiling
  const suited = new Map<string, GraphLayer>()
  const lower = (node: ModelNode): void => {
    const { name, inputs, values } = node
    const prefer = preferredLayout(model, values, layouts)
    const given = inputs.map((i) => layouts.get(i)!)
    const groups = tiling.groupsOf(name, inputs)
    const layer = suitedLayer(node, given)
    if (layer !== node.layer) suited.set(name, layer)
    const circuit = shared.lower(layer, given, {
      maxSlots,
      gaps: gaps === 'zero' || (groups ?? 1) > 1 ? 'zero' : gapsWanted(model, name),
      ...(groups === undefined ? {} : { groups }),
      ...(pairs ? {} : { pairs }),
      ...(prefer ? { prefer } : {}),
    })
    // of the model's own layer: one that suits all channels suits no single one
    const single = priced ? singleOf(node.layer, circuit, given.length, maxSlots) : undefined
    tiling.add({ name, kind: layer.kind, inputs, outputs: values, circuit, ...(single ? { single } : {}) })
  }
  for (const stage of inStages(model)) {
    const joined = stage.length > 1 ? joinedCells(stage, layouts, shared, maxSlots) : []
    for (const node of joined) tiling.add(node)
    const done = new Set(joined.flatMap(({ outputs }) => outputs))
    for (const node of stage) if (!done.has(node.values[0]!)) lower(node)
  }
  tiling.gather(model.output)
  return {
    nodes: inStreams(reached(tiling.nodes, model.output), layouts, model.output),
    inputs: model.inputs,
    inputLayout,
    inputTiles: tiling.inputTiles,
    output: model.output,
    layouts,
    joined: tiling.joined,
    gaps,
    tile,
    pairs,
    suited,
  }
}

/** Nodes in an order in which they may run; refreshing ones that do not wait for each other's refreshes are together. */
function inStages(model: Model): ModelNode[][] {
  const refreshes = ({ layer }: ModelNode): boolean => 'refreshes' in layer && layer.refreshes === true
  // how many refreshes a value has behind it
  const behind = new Map<string, number>(model.inputs.map((input) => [input, 0]))
  const stages = new Map<number, ModelNode[]>()
  for (const node of model.nodes) {
    const before = Math.max(...node.inputs.map((input) => behind.get(input)!))
    const after = before + (refreshes(node) ? 1 : 0)
    for (const value of node.values) behind.set(value, after)
    const key = refreshes(node) ? 2 * after - 1 : 2 * after
    stages.set(key, [...(stages.get(key) ?? []), node])
  }
  return [...stages.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([key, nodes]) => (key % 2 === 1 ? [nodes] : nodes.map((node) => [node])))
}

/** Those of a stage that can share refreshes with others, as nodes that do the work of several. */
function joinedCells(
  stage: readonly ModelNode[],
  layouts: ReadonlyMap<string, SlotLayout>,
  shared: SharedCircuits,
  maxSlots: number,
): Omit<NetworkNode, 'tiles'>[] {
  const groups: ModelNode[][] = []
  const circuitOf = (nodes: readonly ModelNode[]) => shared.join(nodes, layouts, maxSlots)
  for (const node of stage) {
    const group = groups.find((others) => circuitOf([...others, node]))
    if (group) group.push(node)
    else groups.push([node])
  }
  return groups
    .filter((nodes) => nodes.length > 1)
    .map((nodes) => ({
      name: nodes.map(({ name }) => name).join(' + '),
      kind: nodes[0]!.layer.kind,
      inputs: nodes.flatMap(({ inputs }) => inputs),
      outputs: nodes.flatMap(({ values }) => values),
      circuit: circuitOf(nodes)!,
    }))
}

/** The layer as it is best for its inputs; over time a node has one layer, whatever lies where at which step. */
const suitedLayer = ({ layer, origin }: ModelNode, inputs: readonly SlotLayout[]): GraphLayer =>
  (origin === undefined && isLowerable(layer) && layer.suited?.(inputs)) || layer

/** Nodes on which the output depends. */
function reached(nodes: readonly NetworkNode[], output: string): NetworkNode[] {
  const needed = new Set([output])
  return nodes
    .toReversed()
    .filter(({ outputs, inputs }) => {
      if (!outputs.some((name) => needed.has(name))) return false
      for (const input of inputs) needed.add(input)
      return true
    })
    .reverse()
}

/** A circuit, and the layouts that were preferred when it came of it. */
interface Shared {
  readonly circuit: LoweredLayer
  readonly wishes: Set<string>
}

/** Circuits by layer and layouts. */
class SharedCircuits {
  readonly #known = new Map<GraphLayer, Map<string, Shared[]>>()
  readonly #numbers = new Map<GraphLayer, number>()
  readonly #joined = new Map<string, LoweredLayer | undefined>()

  /** Refreshing layers that share one refresh; undefined where they cannot. */
  join(
    nodes: readonly ModelNode[],
    layouts: ReadonlyMap<string, SlotLayout>,
    maxSlots: number,
  ): LoweredLayer | undefined {
    const given = nodes.map(({ inputs }) => inputs.map((input) => layouts.get(input)!))
    for (const { layer } of nodes) if (!this.#numbers.has(layer)) this.#numbers.set(layer, this.#numbers.size)
    const key = JSON.stringify([nodes.map(({ layer }) => this.#numbers.get(layer)), given])
    if (!this.#joined.has(key)) {
      const cells = nodes.map(({ layer }, i) => (isLowerable(layer) ? layer.refreshCell?.(given[i]!) : undefined))
      const known = cells.filter((cell) => cell !== undefined)
      const name = nodes.map(({ layer }) => layer.name).join(' + ')
      this.#joined.set(key, known.length === cells.length ? joinRefreshes(name, known, maxSlots) : undefined)
    }
    return this.#joined.get(key)
  }

  lower(layer: GraphLayer, inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer {
    const own = this.#known.get(layer) ?? new Map<string, Shared[]>()
    this.#known.set(layer, own)
    const { prefer, ...rest } = context
    const key = JSON.stringify([inputs, rest])
    const known = own.get(key) ?? []
    own.set(key, known)
    // what lies where it is wanted anyway need not be lowered for the wish, nor what was lowered for it before
    const wish = prefer && JSON.stringify(prefer)
    const found = known.find(({ circuit, wishes }) => {
      return wish === undefined || wishes.has(wish) || JSON.stringify(circuit.outputs[0]) === wish
    })
    if (found) return found.circuit
    const circuit = lowerLayer(layer, inputs, context)
    const same = known.find((other) => isSame(other.circuit, circuit)) ?? { circuit, wishes: new Set<string>() }
    if (wish !== undefined) same.wishes.add(wish)
    if (same.circuit === circuit) known.push(same)
    return same.circuit
  }
}

/** Whether two circuits of one layer on the same inputs put their results in the same place: a wish that changed nothing. */
const isSame = (a: LoweredLayer, b: LoweredLayer): boolean =>
  a.depth === b.depth && JSON.stringify(a.outputs) === JSON.stringify(b.outputs)

/** The layer on a batch of one element, or two that travel as one, if it takes that; layers with weights for a certain shape do not. */
function singleOf(
  layer: GraphLayer,
  { outputs, refresh }: LoweredLayer,
  inputs: number,
  maxSlots: number,
): LoweredLayer | undefined {
  const [output] = outputs
  if (output?.kind !== 'batch') return undefined
  if (refresh) {
    // two ciphertexts travel as one, and bootstraps in lock step
    const some = output.ciphertexts % (2 * TOGETHER) === 0 ? 2 * TOGETHER : Math.min(2, output.ciphertexts)
    const few = { ...output, shape: [some], ciphertexts: some }
    return lowerLayer(layer, new Array(inputs).fill(few), { maxSlots })
  }
  if (isMultiOutput(layer)) return undefined
  if (!(isCalibrated(layer) || ['add', 'square'].includes(layer.kind)) || !takesOne(layer, inputs)) return undefined
  const one = { ...output, shape: [1], ciphertexts: 1 }
  return lowerLayer(layer, new Array(inputs).fill(one), { maxSlots })
}

/** Whether it makes one element of one: an activation with numbers for each channel does not. */
function takesOne(layer: Layer, inputs: number): boolean {
  try {
    return sameShape(layer.outputShape(new Array(inputs).fill([1])), [1])
  } catch (error) {
    if (error instanceof InvalidArgumentError) return false
    throw error
  }
}

/** The layout of the other branch, when one of the values and an earlier one meet in an addition. */
function preferredLayout(
  model: Model,
  values: readonly string[],
  layouts: ReadonlyMap<string, SlotLayout>,
): SlotLayout | undefined {
  for (const { inputs } of model.nodes) {
    const own = inputs.length < 2 ? undefined : inputs.find((input) => values.includes(input))
    if (own === undefined) continue
    for (const other of inputs) {
      const layout = other === own ? undefined : layouts.get(other)
      if (layout && sameShape(model.shapes.get(other)!, model.shapes.get(own)!)) return layout
    }
  }
  return undefined
}
