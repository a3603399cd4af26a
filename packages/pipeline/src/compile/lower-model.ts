/** Every layer of a model bound to layouts, in order; levels come later. */
import { isCalibrated, type Layer, type Model, sameShape } from '@he-ml/model'
import { gapsWanted, type LoweredLayer, lowerLayer, type SlotLayout } from '@he-ml/packing'
import { withOneOutput } from './with-one-output.ts'

/** A layer that the output depends on, bound to layouts. */
export interface LoweredNode {
  readonly name: string
  readonly kind: string
  readonly inputs: readonly string[]
  readonly lowered: LoweredLayer
  /** The layer on one ciphertext, where it does the same to every ciphertext of a batch: what pricing needs to look at. */
  readonly single?: LoweredLayer
}

export interface LoweredModel {
  readonly nodes: readonly LoweredNode[]
  readonly input: string
  readonly inputLayout: SlotLayout
  readonly output: string
  /** Layouts of the input and of every node's result. */
  readonly layouts: ReadonlyMap<string, SlotLayout>
  readonly gaps: GapPolicy
}

/**
 * What layers leave in slots without an element: what their readers bear ('wanted'), or zeros always ('zero'), so that more
 * values can be bootstrapped.
 */
export type GapPolicy = 'wanted' | 'zero'

/**
 * Lowers every layer, in order; those that nothing reads are left out.
 * @throws UnsupportedError when a layer cannot run on its input's layout
 */
export function lowerModel(
  model: Model,
  inputLayout: SlotLayout,
  maxSlots: number,
  gaps: GapPolicy = 'wanted',
): LoweredModel {
  const layouts = new Map<string, SlotLayout>([[model.input.name, inputLayout]])
  const nodes: LoweredNode[] = []
  for (const node of model.nodes) {
    const { name, inputs } = node
    const layer = withOneOutput(node)
    const prefer = preferredLayout(model, name, layouts)
    const lowered = lowerLayer(
      layer,
      inputs.map((i) => layouts.get(i)!),
      {
        maxSlots,
        gaps: gaps === 'zero' ? 'zero' : gapsWanted(model, name),
        ...(prefer ? { prefer } : {}),
      },
    )
    const single = singleOf(layer, lowered, maxSlots)
    nodes.push({ name, kind: layer.kind, inputs, lowered, ...(single ? { single } : {}) })
    layouts.set(name, lowered.outputs[0]!)
  }
  const needed = new Set([model.output])
  const reached = nodes.toReversed().filter(({ name, inputs }) => {
    if (!needed.has(name)) return false
    for (const input of inputs) needed.add(input)
    return true
  })
  return { nodes: reached.reverse(), input: model.input.name, inputLayout, output: model.output, layouts, gaps }
}

/** The layer on a batch of one element, if it takes that; layers with weights for a certain shape do not. */
function singleOf(layer: Layer, { outputs }: LoweredLayer, maxSlots: number): LoweredLayer | undefined {
  const [output] = outputs as [SlotLayout]
  if (output.kind !== 'batch' || !(isCalibrated(layer) || ['add', 'square'].includes(layer.kind))) return undefined
  const one = { ...output, shape: [1], ciphertexts: 1 }
  return lowerLayer(layer, new Array(layer.arity).fill(one), { maxSlots })
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
