/**
 * Channels of one range. A layer's activation has one polynomial for all channels, on the range of the widest; where others are ten
 * times narrower it is ten times worse for them. ReLU, sums and pools commute with positive factors for each channel, and convolutions
 * take any into their weights on both sides, so a network may hold its channels times what makes their ranges equal, and computes the
 * same function (cross-layer equalization: Nagel et al., ICCV 2019). No level, no product.
 */

import { checkArgument, InvalidArgumentError } from '@he-ml/ckks-core'
import { isCalibrated } from './calibrated-layer.ts'
import { type ChannelFactors, isMultiOutput } from './layer.ts'
import { Model } from './model.ts'
import { modelCheck } from './model-check.ts'
import type { ModelNode } from './model-node.ts'

/**
 * By node with weights, for each channel of its result how many quarters of an octave (factors of 2^(1/4)) it is held larger: integers,
 * so that a plan means the same weights everywhere.
 */
export type Equalization = Readonly<Record<string, readonly number[]>>

/** Quarters of an octave at most: channels 64 times narrower than the widest may be dead, and their noise should not grow. */
const MOST = 24

/**
 * What makes the channels that activations read equally wide.
 *
 * @param largest largest absolute value of each channel of a value, by name; undefined where nobody knows
 * @returns empty where nothing can be equalized: models over time are left as they are
 */
export function equalizationOf(model: Model, largest: (value: string) => readonly number[] | undefined): Equalization {
  checkArgument('equalizationOf', 'model', model, modelCheck.model)
  const groups = channelGroups(model)
  const byGroup = new Map<Group, number[]>()
  for (const { layer, inputs } of model.nodes) {
    const group = groups.get(inputs[0]!)
    if (!group || group.isFixed || isMultiOutput(layer) || !isCalibrated(layer)) continue
    const seen = largest(inputs[0]!)
    if (seen === undefined) continue
    const widest = byGroup.get(group) ?? new Array<number>(group.channels).fill(0)
    for (const [i, v] of seen.entries()) {
      const c = Math.floor((i * group.channels) / seen.length)
      widest[c] = Math.max(widest[c]!, v)
    }
    byGroup.set(group, widest)
  }
  const equalization: Record<string, readonly number[]> = {}
  for (const { name, layer, values } of model.nodes) {
    const seen = byGroup.get(groups.get(values[0]!)!)
    if (!seen || isMultiOutput(layer) || !layer.scaleChannels) continue
    const widest = Math.max(...seen)
    if (widest > 0) equalization[name] = seen.map((v) => Math.min(MOST, Math.round(4 * Math.log2(widest / v))))
  }
  return equalization
}

/**
 * The network with its channels held so: the same function, but for rounding.
 *
 * @throws InvalidArgumentError for an equalization that is not one of this model
 */
export function equalized(model: Model, equalization: Equalization): Model {
  checkArgument('equalized', 'model', model, modelCheck.model)
  if (Object.keys(equalization).length === 0) return model
  const groups = channelGroups(model)
  const factors = groupFactors(model, groups, equalization)
  const nodes = model.nodes.map((node) => {
    const { name, layer, inputs, values, origin } = node
    const [input, output] = [inputs[0]!, values[0]!].map((value) => {
      const [channels] = model.shapes.get(value) as [number]
      return repeated(factors.get(groups.get(value)!) ?? [1], channels)
    }) as [number[], number[]]
    const rest = { name, inputs, ...(origin ? { origin } : {}) }
    const isHeld = input.every((f) => f === 1) && output.every((f) => f === 1)
    if (isMultiOutput(layer) || !layer.scaleChannels || isHeld) return { ...rest, layer }
    const scaled: ChannelFactors = { input: input.map((f) => 1 / f), output }
    return { ...rest, layer: layer.scaleChannels(scaled) }
  })
  const { name, input, output, states, steps, readout } = model
  return new Model({ name, input, nodes, output, states, steps, readout })
}

/** For more channels, as many neighbours alike: a tensor whose shape was changed has its elements in the same order. */
const repeated = (factors: readonly number[], channels: number): number[] =>
  Array.from({ length: channels }, (_, c) => factors[Math.floor((c * factors.length) / channels)]!)

/** Values whose channels are held alike. */
interface Group {
  /** Of the value that has the fewest; others have a multiple. */
  channels: number
  /** Held as they are: the model's ends, and what is read or made by layers that do not commute with factors. */
  isFixed: boolean
}

/** The group of every value. */
function channelGroups(model: Model): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>()
  const isOverTime = model.states.length > 0 || model.steps > 1
  for (const value of model.shapes.keys())
    groups.set(value, { channels: model.shapes.get(value)![0]!, isFixed: isOverTime })
  const join = (a: string, b: string): void => {
    const [kept, other] = [groups.get(a)!, groups.get(b)!]
    if (kept === other) return
    const [few, many] = [kept.channels, other.channels].sort((x, y) => x - y) as [number, number]
    kept.isFixed ||= other.isFixed || many % few !== 0
    kept.channels = few
    for (const [value, group] of groups) if (group === other) groups.set(value, kept)
  }
  const fix = (value: string): void => {
    groups.get(value)!.isFixed = true
  }
  for (const node of model.nodes) {
    const { layer, values, inputs } = node
    if (isChannelwise(node)) for (const input of inputs) join(values[0]!, input)
    else if (isMultiOutput(layer) || !layer.scaleChannels) for (const value of [...inputs, ...values]) fix(value)
  }
  for (const value of [...model.inputs, model.output]) fix(value)
  return groups
}

const isChannelwise = ({ layer }: ModelNode): boolean => !isMultiOutput(layer) && layer.channelwise === true

/** The factors of each group, from those of the nodes that compute its values. */
function groupFactors(
  model: Model,
  groups: ReadonlyMap<string, Group>,
  equalization: Equalization,
): ReadonlyMap<Group, readonly number[]> {
  const refuse = (why: string): never => {
    throw new InvalidArgumentError(`equalization: ${why}`)
  }
  const nodes = new Map(model.nodes.map((node) => [node.name, node]))
  const steps = new Map<Group, readonly number[]>()
  for (const [name, quarters] of Object.entries(equalization)) {
    const node = nodes.get(name) ?? refuse(`"${name}" is no node of the model`)
    const group = groups.get(node.values[0]!)!
    if (group.isFixed || isMultiOutput(node.layer) || !node.layer.scaleChannels)
      refuse(`the channels of "${name}" are held as they are`)
    if (
      !Array.isArray(quarters) ||
      quarters.length !== group.channels ||
      quarters.some((q) => !Number.isInteger(q) || q < 0 || q > MOST)
    )
      refuse(`"${name}" has ${group.channels} channels, expected an integer from 0 to ${MOST} for each`)
    const before = steps.get(group)
    if (before?.some((q, c) => q !== quarters[c]))
      refuse(`"${name}" holds its channels otherwise than what it is added to`)
    steps.set(group, quarters)
  }
  for (const { name, layer, values } of model.nodes)
    if (!isMultiOutput(layer) && layer.scaleChannels && steps.has(groups.get(values[0]!)!) && !equalization[name])
      refuse(`it does not tell how "${name}" holds its channels`)
  return new Map([...steps].map(([group, quarters]) => [group, quarters.map((q) => 2 ** (q / 4))]))
}
