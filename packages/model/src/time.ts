/**
 * Recurrence: a model may run its layers for several time steps, on one input or on a frame for each step. A state edge carries a
 * value of one step to an input of a layer at the next; at the first step that input is absent. What depends neither on a state
 * nor on a frame is the same at every step and computed once.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { isMultiOutput, outputShapesOf } from './layer.ts'
import type { ModelInput } from './model-input.ts'
import type { ModelNode } from './model-node.ts'
import type { Readout } from './readout.ts'
import { type Shape, sameShape } from './tensor.ts'

/** Every step is a copy of the layers that run in it: more could be neither planned nor run. */
export const MAX_STEPS = 65_536

/** A value that a layer reads one step later. */
export interface StateEdge {
  /** What is carried: `node`, or `node/output` of a layer with several. */
  readonly value: string
  /** Who reads it. */
  readonly node: string
  /** As which of its layer's inputs: one after those that the node names. */
  readonly input: number
}

/** What a model says of time. */
export interface TimeDescription {
  /** Values that are carried to the next time step; default none. */
  readonly states?: readonly StateEdge[]
  /** Default 1; at most 65,536. */
  readonly steps?: number
  /** What becomes of the output's values at all steps; default the last one's. */
  readonly readout?: Readout
}

/** A checked description of time. */
export interface Time {
  readonly states: readonly StateEdge[]
  readonly steps: number
  readonly readout: Readout
  /** Names of the nodes that run at every step. */
  readonly stepwise: ReadonlySet<string>
}

interface Graph {
  readonly name: string
  readonly input: ModelInput
  readonly nodes: readonly ModelNode[]
  readonly shapes: ReadonlyMap<string, Shape>
  readonly output: string
}

/** Checks states, steps and readout against a graph. @throws InvalidArgumentError naming the model and the state */
export function checkTime(graph: Graph, { states = [], steps = 1, readout = 'last' }: TimeDescription): Time {
  const refuse = (why: string): never => {
    throw new InvalidArgumentError(`model "${graph.name}": ${why}`)
  }
  if (!Number.isInteger(steps) || steps < 1 || steps > MAX_STEPS)
    refuse(`expected a positive integer of time steps, at most ${MAX_STEPS}, got ${steps}`)
  if (!['sum', 'mean', 'last'].includes(readout))
    refuse(`expected the readout 'sum', 'mean' or 'last', got "${readout}"`)
  const perStep = graph.input.time === 'perStep'
  if (steps > 1 && perStep && states.length === 0 && readout === 'last')
    refuse(`without a state only the last of ${steps} frames would count: name the states, or another readout`)
  if (steps > 1 && !perStep && states.length === 0)
    refuse(`${steps} time steps without a state would all be the same: name the states, or leave out steps`)
  for (const node of graph.nodes) checkStateShapes(graph, node, states)
  const names = new Set(graph.nodes.map((node) => node.name))
  for (const { value, node } of states) {
    if (!names.has(node)) refuse(`a state goes to "${node}", which is no node`)
    if (!graph.nodes.some(({ values }) => values.includes(value)))
      refuse(`a state carries "${value}", which is no result of a layer`)
  }
  const stepwise = findStepwise(graph, states)
  const ends = graph.nodes.find(({ values }) => values.includes(graph.output))
  if (steps > 1 && !(ends && stepwise.has(ends.name)))
    refuse(
      `its output "${graph.output}" depends on no state${perStep ? ' and no frame' : ''}, so ${steps} time steps would all give the same`,
    )
  return { states, steps, readout, stepwise }
}

/** The states that go to one node, in the order of its inputs. */
export const statesOf = (states: readonly StateEdge[], node: string): readonly StateEdge[] =>
  states.filter((state) => state.node === node).toSorted((a, b) => a.input - b.input)

/**
 * States take the last inputs, which the layer must be able to do without.
 * @throws InvalidArgumentError naming the model and the node
 */
export function checkStateInputs(model: string, node: ModelNode, states: readonly StateEdge[]): void {
  const own = statesOf(states, node.name)
  if (own.length === 0) return
  const { layer, inputs } = node
  const first = inputs.length
  const optional = isMultiOutput(layer) ? (layer.optionalInputs ?? 0) : 0
  if (own.some(({ input }, i) => input !== first + i) || first + own.length > layer.arity)
    throw new InvalidArgumentError(
      `model "${model}": node "${node.name}" names ${first} of ${layer.arity} inputs, so states go to the next ones, each once; got inputs ${own.map(({ input }) => input)}`,
    )
  if (first < layer.arity - optional)
    throw new InvalidArgumentError(
      `model "${model}": node "${node.name}" needs ${layer.arity - optional} inputs at the first step, when states are absent, and names ${first}: only layers that can do without an input take a state, as spiking does its membrane; what is fed back from the step before into a sum or a linear layer (recurrent synapses) cannot be written`,
    )
}

/** States keep shapes as they are. */
function checkStateShapes({ name, shapes }: Graph, node: ModelNode, states: readonly StateEdge[]): void {
  const own = statesOf(states, node.name)
  if (own.length === 0) return
  const { layer, inputs } = node
  const given = [...inputs, ...own.map(({ value }) => value)].map((value) => shapes.get(value))
  // a value that is not known is reported by the caller
  if (given.includes(undefined)) return
  for (const [i, shape] of outputShapesOf(layer, given as Shape[]).entries()) {
    const before = shapes.get(node.values[i]!)!
    if (!sameShape(shape, before))
      throw new InvalidArgumentError(
        `model "${name}": "${node.values[i]}" has the shape [${before}] at the first step and [${shape}] with its states`,
      )
  }
}

function findStepwise({ input, nodes }: Graph, states: readonly StateEdge[]): ReadonlySet<string> {
  const stepwise = new Set(states.map(({ node }) => node))
  const values = new Set(input.time === 'perStep' && !input.frames ? [input.name] : [])
  for (const node of nodes) {
    if (!stepwise.has(node.name) && !node.inputs.some((input) => values.has(input))) continue
    stepwise.add(node.name)
    for (const value of node.values) values.add(value)
  }
  return stepwise
}
