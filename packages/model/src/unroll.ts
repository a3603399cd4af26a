/**
 * A model over time as a plain graph: one node per time step of what depends on a state or a frame, named `node@step`, all with the
 * same layer object, so that weights can be prepared once; what depends on neither stands once, under its own name. Frames become
 * values of their own, `input@step`.
 */

import { checkArgument } from '@he-ml/ckks-core'
import { type GraphLayer, isMultiOutput } from './layer.ts'
import { Model, type NodeDescription, valuesOf } from './model.ts'
import { modelCheck } from './model-check.ts'
import type { ModelInput } from './model-input.ts'
import type { ModelNode } from './model-node.ts'
import { ReadoutLayer } from './readout.ts'
import { statesOf } from './time.ts'

/**
 * The same function without states. Nodes that the output does not depend on at their step are left out. Each node of a step
 * knows its origin; see {@link originOf}. A layer that can gives all steps at once where its input is the same at each, and leaves out results
 * that nobody reads.
 * A model without states and frames, or unrolled already, is returned as it is.
 */
export function unroll(model: Model): Model {
  checkArgument('unroll', 'model', model, modelCheck.model)
  if (model.states.length === 0 && !readsFrames(model)) return model
  const { name, output, steps, readout } = model
  const nodes: NodeDescription[] = []
  const merged = mergedLayers(model)
  for (let step = 0; step < steps; step++)
    for (const node of model.nodes) {
      if (step > 0 && (merged.has(node.name) || !model.stepwise.has(node.name))) continue
      const layer = merged.get(node.name)
      nodes.push(layer ? { name: node.name, layer, inputs: node.inputs } : instance(model, node, step, merged))
    }
  const results = Array.from({ length: steps }, (_, step) => valueAt(model, output, step, merged))
  let end = results[steps - 1]!
  if (readout !== 'last' && steps > 1) {
    end = unused('readout', model)
    nodes.push({ layer: new ReadoutLayer(end, readout, steps), inputs: results })
  }
  return new Model({ name, input: unrolledInput(model), nodes: withoutUnread(reached(nodes, end), end), output: end })
}

/** Layers that give all steps at once: nothing but their own states changes from one to the next, and nobody else reads these. */
function mergedLayers(model: Model): ReadonlyMap<string, GraphLayer> {
  const merged = new Map<string, GraphLayer>()
  const { nodes, states, steps, stepwise } = model
  if (steps === 1) return merged
  const stepped = new Set(nodes.filter(({ name }) => stepwise.has(name)).flatMap(({ values }) => values))
  if (readsFrames(model)) stepped.add(model.input.name)
  for (const { name, layer, inputs, values } of nodes) {
    if (!stepwise.has(name) || !isMultiOutput(layer) || !layer.overSteps) continue
    const own = new Set(statesOf(states, name).map(({ value }) => value))
    if (inputs.some((input) => stepped.has(input)) || [...own].some((value) => !values.includes(value))) continue
    const isRead = (value: string) =>
      value === model.output ||
      nodes.some((other) => other.inputs.includes(value)) ||
      states.some((state) => state.value === value && state.node !== name)
    const read = layer.outputs.filter((_, i) => isRead(values[i]!))
    const whole = layer.overSteps(steps, read)
    if (whole) merged.set(name, whole)
  }
  return merged
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
  if (node?.origin) return node.origin.node + value.slice(node.name.length)
  // of a layer that gives all steps at once
  const step = node && isMultiOutput(node.layer) ? value.lastIndexOf('@') : -1
  return step > (node?.name.length ?? 0) ? value.slice(0, step) : value
}

type Merged = ReadonlyMap<string, GraphLayer>

function instance(model: Model, { name, layer, inputs }: ModelNode, step: number, merged: Merged): NodeDescription {
  const at = (value: string, when: number) => valueAt(model, value, when, merged)
  const carried = step === 0 ? [] : statesOf(model.states, name).map(({ value }) => at(value, step - 1))
  const given = [...inputs.map((value) => at(value, step)), ...carried]
  if (!model.stepwise.has(name)) return { name, layer, inputs: given }
  return { name: `${name}@${step}`, layer, inputs: given, origin: { node: name, step } }
}

/** What a value of the model is called at a step. */
function valueAt(model: Model, value: string, step: number, merged: Merged = NOTHING): string {
  if (value === model.input.name && readsFrames(model)) return `${value}@${step}`
  const node = model.nodes.find(({ values }) => values.includes(value))
  if (node && merged.has(node.name)) return `${value}@${step}`
  return node && model.stepwise.has(node.name) ? `${node.name}@${step}${value.slice(node.name.length)}` : value
}

const NOTHING: Merged = new Map()

function unused(wanted: string, { input, nodes }: Model): string {
  const taken = new Set([input.name, ...nodes.map((node) => node.name)])
  let name = wanted
  while (taken.has(name)) name = `${name}'`
  return name
}

/** Layers without results that nobody reads, where those are work; steps that are alike share theirs. */
function withoutUnread(nodes: readonly NodeDescription[], end: string): NodeDescription[] {
  const read = new Set([end, ...nodes.flatMap(({ inputs }) => inputs)])
  const known = new Map<GraphLayer, Map<string, GraphLayer>>()
  return nodes.map((node) => {
    const { layer } = node
    if (!isMultiOutput(layer) || !layer.withOutputs) return node
    const values = valuesOf(node.name ?? layer.name, layer)
    const wanted = layer.outputs.filter((_, i) => read.has(values[i]!))
    if (wanted.length === layer.outputs.length) return node
    const ofLayer = known.get(layer) ?? new Map<string, GraphLayer>()
    known.set(layer, ofLayer)
    const key = wanted.join()
    const fewer = ofLayer.get(key) ?? layer.withOutputs(wanted) ?? layer
    ofLayer.set(key, fewer)
    return { ...node, layer: fewer }
  })
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
