/**
 * A model over time as a plain graph: one node per time step of what depends on a state or a frame, named `node@step`, all with the
 * same layer object, so that weights can be prepared once; what depends on neither stands once, under its own name. Frames become
 * values of their own, `input@step`.
 */
import { Model, type NodeDescription, valuesOf } from './model.ts'
import type { ModelInput } from './model-input.ts'
import type { ModelNode } from './model-node.ts'
import { ReadoutLayer } from './readout.ts'
import { statesOf } from './time.ts'

/**
 * The same function without states. Nodes that the output does not depend on at their step are left out. Each node of a step
 * knows its origin; see {@link originOf}. A model without states and frames, or unrolled already, is returned as it is.
 */
export function unroll(model: Model): Model {
  if (model.states.length === 0 && !readsFrames(model)) return model
  const { name, output, steps, readout } = model
  const nodes: NodeDescription[] = []
  for (let step = 0; step < steps; step++)
    for (const node of model.nodes)
      if (step === 0 || model.stepwise.has(node.name)) nodes.push(instance(model, node, step))
  const results = Array.from({ length: steps }, (_, step) => valueAt(model, output, step))
  let end = results[steps - 1]!
  if (readout !== 'last' && steps > 1) {
    end = unused('readout', model)
    nodes.push({ layer: new ReadoutLayer(end, readout, steps), inputs: results })
  }
  return new Model({ name, input: unrolledInput(model), nodes: reached(nodes, end), output: end })
}

/** Whether each time step has a frame that goes by the input's own name. */
const readsFrames = ({ input }: Model): boolean => input.time === 'perStep' && !input.frames

function unrolledInput(model: Model): ModelInput {
  const { input, steps } = model
  if (!readsFrames(model)) return input
  return { ...input, frames: Array.from({ length: steps }, (_, step) => valueAt(model, input.name, step)) }
}

/** The value of the model before unrolling that a value of the unrolled one is an instance of; its own name elsewhere. */
export function originOf(unrolled: Model, value: string): string {
  if (unrolled.input.frames?.includes(value)) return unrolled.input.name
  const node = unrolled.nodes.find(({ values }) => values.includes(value))
  return node?.origin ? node.origin.node + value.slice(node.name.length) : value
}

function instance(model: Model, { name, layer, inputs }: ModelNode, step: number): NodeDescription {
  const carried = step === 0 ? [] : statesOf(model.states, name).map(({ value }) => valueAt(model, value, step - 1))
  const given = [...inputs.map((value) => valueAt(model, value, step)), ...carried]
  if (!model.stepwise.has(name)) return { name, layer, inputs: given }
  return { name: `${name}@${step}`, layer, inputs: given, origin: { node: name, step } }
}

/** What a value of the model is called at a step. */
function valueAt(model: Model, value: string, step: number): string {
  if (value === model.input.name && readsFrames(model)) return `${value}@${step}`
  const node = model.nodes.find(({ values }) => values.includes(value))
  return node && model.stepwise.has(node.name) ? `${node.name}@${step}${value.slice(node.name.length)}` : value
}

function unused(wanted: string, { input, nodes }: Model): string {
  const taken = new Set([input.name, ...nodes.map((node) => node.name)])
  let name = wanted
  while (taken.has(name)) name = `${name}'`
  return name
}

/** The nodes that the end depends on. */
function reached(nodes: readonly NodeDescription[], end: string): NodeDescription[] {
  const needed = new Set([end])
  const kept: NodeDescription[] = []
  for (const node of nodes.toReversed()) {
    if (!valuesOf(node.name ?? node.layer.name, node.layer).some((value) => needed.has(value))) continue
    for (const input of node.inputs) needed.add(input)
    kept.unshift(node)
  }
  return kept
}
