/**
 * A model is data: layers in topological order, each naming its inputs, and, where it has a state, what is carried from one
 * time step to the next. Made by code or by an import.
 */
import { checkArgument, checkOptions, InvalidArgumentError, type OptionChecks, optionCheck } from '@he-ml/ckks-core'
import { forwardAll, type GraphLayer, isMultiOutput, outputShapesOf } from './layer.ts'
import { modelCheck } from './model-check.ts'
import {
  assertInputShape,
  checkFrames,
  checkInputGrid,
  framesOf,
  type InputForm,
  type ModelInput,
  onInputGrid,
  wholeShape,
} from './model-input.ts'
import type { ModelNode } from './model-node.ts'
import { type Readout, readOut } from './readout.ts'
import type { Shape, Tensor } from './tensor.ts'
import { checkStateInputs, checkTime, type StateEdge, statesOf, type Time, type TimeDescription } from './time.ts'

/** A node as it is written down; the name is the layer's unless given. */
export type NodeDescription = Pick<ModelNode, 'layer' | 'inputs' | 'origin'> & {
  /** Unique in the model; default the layer's. */
  readonly name?: string
}

/** What a model is made from. */
export interface ModelDescription extends TimeDescription {
  /** For people, plans and errors. */
  readonly name: string
  /** The one input. */
  readonly input: ModelInput
  /** In an order in which each finds its inputs. */
  readonly nodes: readonly NodeDescription[]
  /** The value that is the model's result; default the (first) one of the last node. */
  readonly output?: string
}

/** What a model has besides its description: `{ ...model, output }` is a description too. */
type Derived = Partial<Pick<Model, 'inputs' | 'shapes' | 'stepwise'>>

/** What time, nodes and input are is judged where they are used. */
const DESCRIPTION: OptionChecks<ModelDescription & Derived> = {
  inputs: optionCheck.anything,
  shapes: optionCheck.anything,
  stepwise: optionCheck.anything,
  name: optionCheck.string,
  input: optionCheck.object,
  nodes: optionCheck.list('a list of nodes', optionCheck.object),
  output: optionCheck.string,
  states: optionCheck.list('a list of states', optionCheck.object),
  steps: optionCheck.anything,
  readout: optionCheck.anything,
}

/** What is done at a node: one result per value. `step` counts from 0. */
export type NodeFunction = (node: ModelNode, inputs: readonly Tensor[], step: number) => readonly Tensor[]

/** A checked, immutable graph of layers. */
export class Model {
  /** For people, plans and errors. */
  readonly name: string
  /** The one input. */
  readonly input: ModelInput
  /** Names of the values that the input gives: its own, or those of its frames where the model is unrolled. */
  readonly inputs: readonly string[]
  /** In an order in which each finds its inputs. */
  readonly nodes: readonly ModelNode[]
  /** Name of the value that is the model's result at a time step. */
  readonly output: string
  /** Shape of what the input gives at a time step and of every value, by name. */
  readonly shapes: ReadonlyMap<string, Shape>
  /** Values that are carried to the next time step; none in models without time. */
  readonly states: readonly StateEdge[]
  /** How many time steps there are; 1 without time. */
  readonly steps: number
  /** How the results of all time steps become one. */
  readonly readout: Readout
  /** Names of the nodes that run at every time step; the others run once. Empty without states and frames. */
  readonly stepwise: ReadonlySet<string>

  /** @throws InvalidArgumentError naming the node whose inputs, name, shapes or states do not fit, or the input */
  constructor(description: ModelDescription) {
    checkOptions<ModelDescription & Derived>('Model', description, DESCRIPTION)
    const { name, input } = description
    checkFrames(name, input, description)
    checkInputGrid(name, input)
    this.name = name
    this.input = input
    this.inputs = input.frames ?? [input.name]
    this.nodes = description.nodes.map(completed)
    if (this.nodes.length === 0) throw new InvalidArgumentError(`model "${name}" has no layers`)
    this.shapes = shapesOf(this, description.states ?? [])
    this.output = description.output ?? this.nodes[this.nodes.length - 1]!.values[0]!
    if (!this.shapes.has(this.output))
      throw new InvalidArgumentError(`model "${name}": no layer is called "${this.output}"`)
    const time: Time = checkTime(this, description)
    this.states = time.states
    this.steps = time.steps
    this.readout = time.readout
    this.stepwise = time.stepwise
  }

  /** What a tensor must look like to be the model's input. */
  get inputForm(): InputForm {
    const { shape, time, frames } = this.input
    return time === 'perStep' ? { shape, frames: frames?.length ?? this.steps } : { shape }
  }
  /** Shape of the tensors that the model takes: of frames with their number in front. */
  get inputShape(): Shape {
    return wholeShape(this.inputForm)
  }

  /**
   * The exact clear result, over all time steps, of the input on its grid if it has one; `observe` sees every node with its inputs before it runs.
   * @param input of `inputShape`: one tensor for all steps, or a frame for each
   * @throws InvalidArgumentError when the input's shape is not the model's
   */
  forward(input: Tensor, observe?: (node: ModelNode, inputs: readonly Tensor[], step: number) => void): Tensor {
    return this.evaluate(input, (node, inputs, step) => {
      observe?.(node, inputs, step)
      return forwardAll(node.layer, inputs)
    })
  }

  /**
   * Puts the input on its grid, if it has one, and walks the graph with a function per node, which gives the node's results; nodes that depend on a state or a frame once per
   * time step, the others once. States come after the inputs that a node names, and not at the first step.
   */
  evaluate(input: Tensor, apply: NodeFunction): Tensor {
    checkArgument(`model "${this.name}"`, 'its input', input, modelCheck.tensor)
    assertInputShape(`model "${this.name}"`, this.inputForm, input.shape)
    const read = onInputGrid(input, this.input.grid)
    const given = this.input.time === 'perStep' ? framesOf(read) : [read]
    const values = new Map<string, Tensor>(this.inputs.map((value, i) => [value, given[i]!]))
    const results: Tensor[] = []
    for (let step = 0; step < this.steps; step++) {
      // states are those of the step before, also where their node runs first
      const carried = step === 0 ? undefined : new Map(this.states.map(({ value }) => [value, values.get(value)!]))
      const frame = this.input.frames ? undefined : given[step]
      if (frame) values.set(this.input.name, frame)
      for (const node of this.nodes) {
        if (step > 0 && !this.stepwise.has(node.name)) continue
        const all = node.inputs.map((i) => values.get(i)!)
        for (const { value } of carried ? statesOf(this.states, node.name) : []) all.push(carried!.get(value)!)
        for (const [i, result] of apply(node, all, step).entries()) values.set(node.values[i]!, result)
      }
      results.push(values.get(this.output)!)
    }
    return readOut(this.readout, results)
  }
}

function completed({ name, layer, inputs, origin }: NodeDescription): ModelNode {
  const where = `Model: node ${name ?? (layer as { name?: unknown } | undefined)?.name ?? ''}`.trimEnd()
  checkArgument(where, 'its layer', layer, modelCheck.layer)
  checkArgument(where, 'its inputs', inputs, optionCheck.list('a list of names', optionCheck.string))
  const own = name ?? layer.name
  return { name: own, layer, inputs, values: valuesOf(own, layer), ...(origin ? { origin } : {}) }
}

/** What a node's results are called. */
export const valuesOf = (name: string, layer: GraphLayer): readonly string[] =>
  isMultiOutput(layer) ? layer.outputs.map((output) => `${name}/${output}`) : [name]

/** Plans and calibrations are JSON objects by name, in which this one means something else. */
function assertName(model: string, name: string): void {
  if (name === '__proto__')
    throw new InvalidArgumentError(`model "${model}": nothing can be called "__proto__": give it another name`)
}

function shapesOf(
  { name: model, input, inputs: first, nodes }: Pick<Model, 'name' | 'input' | 'inputs' | 'nodes'>,
  states: readonly StateEdge[],
): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>(first.map((value) => [value, input.shape]))
  for (const value of first) assertName(model, value)
  const names = new Set(first)
  if (names.size < first.length)
    throw new InvalidArgumentError(`model "${model}": two frames have one name: [${first}]`)
  for (const node of nodes) {
    const { name, layer, inputs, values } = node
    checkStateInputs(model, node, states)
    checkArity(name, layer, inputs, statesOf(states, name).length)
    const given = inputs.map((i) => {
      const shape = shapes.get(i)
      if (!shape) throw unknownInput(name, i, nodes)
      return shape
    })
    if (values.length === 0 || new Set(values).size < values.length)
      throw new InvalidArgumentError(`layer "${name}": expected outputs with names of their own, got [${values}]`)
    for (const value of new Set([name, ...values])) {
      assertName(model, value)
      if (names.has(value)) throw new InvalidArgumentError(`model "${model}": the name "${value}" is used twice`)
      names.add(value)
    }
    const results = outputShapesOf(layer, given)
    if (results.length !== values.length)
      throw new InvalidArgumentError(`layer "${name}" has ${values.length} outputs, and shapes for ${results.length}`)
    for (const [i, shape] of results.entries()) shapes.set(values[i]!, shape)
  }
  return shapes
}

function checkArity(name: string, layer: GraphLayer, inputs: readonly string[], states: number): void {
  const optional = isMultiOutput(layer) ? (layer.optionalInputs ?? 0) : 0
  const least = layer.arity - optional
  // with states it was said more exactly what does not fit
  if (states > 0 || (inputs.length >= least && inputs.length <= layer.arity)) return
  const wanted = optional > 0 ? `${least} to ${layer.arity}` : `${layer.arity}`
  throw new InvalidArgumentError(`layer "${name}" takes ${wanted} inputs, got ${inputs.length}`)
}

function unknownInput(name: string, input: string, nodes: readonly ModelNode[]): InvalidArgumentError {
  const several = nodes.find((node) => node.name === input && !node.values.includes(input))
  if (nodes.some(({ values }) => values.includes(input)))
    return new InvalidArgumentError(
      `layer "${name}": its input "${input}" is that of a later layer, or its own: put that one first; what is fed back from the time step before goes in states, and to layers alone that can do without it at the first step, as spiking can its membrane (recurrent synapses cannot be written)`,
    )
  return new InvalidArgumentError(
    several
      ? `layer "${name}": its input "${input}" has several outputs: name one of ${several.values.map((v) => `"${v}"`).join(', ')}`
      : `layer "${name}": its input "${input}" is neither the model's input nor an earlier layer`,
  )
}
