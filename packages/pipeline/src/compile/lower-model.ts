/** Every layer of a model bound to layouts, in order; levels come later. */
import { isCalibrated, type Layer, type Model, sameShape } from '@he-ml/model'
import { gapsWanted, type LowerContext, type LoweredLayer, lowerLayer, type SlotLayout } from '@he-ml/packing'
import { circuitOf, type TaskCircuit } from '../program/circuit.ts'
import type { GapPolicy, Network, NetworkNode } from '../program/network.ts'

/**
 * Lowers every layer, in order; those that nothing reads are left out. A layer that several nodes share is lowered once for
 * the same layouts, so that they share its weights.
 *
 * @throws UnsupportedError when a layer cannot run on its input's layout
 */
export function lowerModel(
  model: Model,
  inputLayout: SlotLayout,
  maxSlots: number,
  gaps: GapPolicy = 'wanted',
): Network {
  const layouts = new Map<string, SlotLayout>([[model.input.name, inputLayout]])
  const shared = new SharedCircuits()
  const nodes: NetworkNode[] = []
  for (const { name, layer, inputs } of model.nodes) {
    const prefer = preferredLayout(model, name, layouts)
    const given = inputs.map((i) => layouts.get(i)!)
    const { lowered, circuit } = shared.lower(layer, given, {
      maxSlots,
      gaps: gaps === 'zero' ? 'zero' : gapsWanted(model, name),
      ...(prefer ? { prefer } : {}),
    })
    const single = singleOf(layer, lowered, maxSlots)
    nodes.push({ name, kind: layer.kind, inputs, outputs: [name], circuit, ...(single ? { single } : {}) })
    layouts.set(name, lowered.output)
  }
  return {
    nodes: reached(nodes, model.output),
    input: model.input.name,
    inputLayout,
    output: model.output,
    layouts,
    gaps,
  }
}

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

interface Lowered {
  readonly lowered: LoweredLayer
  readonly circuit: TaskCircuit
}

/** Circuits by layer and layouts. */
class SharedCircuits {
  readonly #known = new Map<Layer, Map<string, Lowered>>()

  lower(layer: Layer, inputs: readonly SlotLayout[], context: LowerContext): Lowered {
    const own = this.#known.get(layer) ?? new Map<string, Lowered>()
    this.#known.set(layer, own)
    const key = JSON.stringify([inputs, context])
    const known = own.get(key)
    if (known) return known
    const lowered = lowerLayer(layer, inputs, context)
    const made = { lowered, circuit: circuitOf(lowered) }
    own.set(key, made)
    return made
  }
}

/** The layer on a batch of one element, if it takes that; layers with weights for a certain shape do not. */
function singleOf(layer: Layer, { output }: LoweredLayer, maxSlots: number): TaskCircuit | undefined {
  if (output.kind !== 'batch' || !(isCalibrated(layer) || ['add', 'square'].includes(layer.kind))) return undefined
  const one = { ...output, shape: [1], ciphertexts: 1 }
  return circuitOf(lowerLayer(layer, new Array(layer.arity).fill(one), { maxSlots }))
}

/** The layout of the other branch, when `name` and an earlier layer meet in an addition. */
function preferredLayout(model: Model, name: string, layouts: ReadonlyMap<string, SlotLayout>): SlotLayout | undefined {
  for (const { inputs } of model.nodes) {
    if (inputs.length < 2 || !inputs.includes(name)) continue
    for (const other of inputs) {
      const layout = other === name ? undefined : layouts.get(other)
      if (layout && sameShape(model.shapes.get(other)!, model.shapes.get(name)!)) return layout
    }
  }
  return undefined
}
