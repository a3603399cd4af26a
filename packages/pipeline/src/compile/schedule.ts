/**
 * Levels, as late as possible: a layer runs at the lowest level from which everything after it still fits, where limbs are
 * few and operations cheap. Without bootstrapping that is the longest path to the output, counted in levels.
 */
import type { Level } from '@he-ml/ckks-core'
import { gapsWanted, type LoweredLayer, type Model, type SlotLayout, sameShape } from '@he-ml/packing'

export interface ScheduledNode {
  readonly name: string
  readonly kind: string
  readonly inputs: readonly string[]
  readonly lowered: LoweredLayer
  /** Level at which all inputs are read. */
  readonly level: Level
}

export interface Schedule {
  readonly nodes: readonly ScheduledNode[]
  readonly inputLayout: SlotLayout
  /** Level of a fresh input: the depth of the network. */
  readonly inputLevel: Level
  readonly output: string
}

/** Lowers every layer, in order, and assigns levels; the output is left at level `outputLevel`. */
export function schedule(model: Model, inputLayout: SlotLayout, maxSlots: number, outputLevel: Level = 0): Schedule {
  const layouts = new Map<string, SlotLayout>([[model.input.name, inputLayout]])
  const lowered = new Map<string, LoweredLayer>()
  for (const { layer, inputs } of model.nodes) {
    const prefer = preferredLayout(model, layer.name, layouts)
    const one = layer.lower(
      inputs.map((i) => layouts.get(i)!),
      { maxSlots, gaps: gapsWanted(model, layer.name), ...(prefer ? { prefer } : {}) },
    )
    lowered.set(layer.name, one)
    layouts.set(layer.name, one.output)
  }
  // level wanted at the output of each value, from the back
  const wanted = new Map<string, Level>([[model.output, outputLevel]])
  const nodes: ScheduledNode[] = []
  for (const { layer, inputs } of [...model.nodes].reverse()) {
    const own = wanted.get(layer.name)
    if (own === undefined) continue // nothing reads it
    const one = lowered.get(layer.name)!
    const level = own + one.depth
    for (const input of inputs) wanted.set(input, Math.max(wanted.get(input) ?? 0, level))
    nodes.unshift({ name: layer.name, kind: layer.kind, inputs, lowered: one, level })
  }
  return { nodes, inputLayout, inputLevel: wanted.get(model.input.name) ?? outputLevel, output: model.output }
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
