/**
 * Parameters and levels of a network whose layers refresh what they compute: a functional bootstrap within each, none between. How many levels
 * must lie between two of them the network tells; the set is designed for that.
 */
import {
  CancelledError,
  type CostModel,
  createFunctionalBootstrapping,
  designFunctional,
  type FunctionalSet,
  functionalSet,
  HeMlError,
  type Level,
  PlanError,
} from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { imagesPerTensor, type LayerRefresh } from '@he-ml/packing'
import { buildProgram } from '../program/build-program.ts'
import { inTiles } from '../program/in-tiles.ts'
import { layerLevels } from '../program/layer-levels.ts'
import type { Network } from '../program/network.ts'
import type { PlacedStep } from '../program/placed-step.ts'
import type { ProgramFunctional } from '../program/program.ts'
import { LayerCosts } from './layer-costs.ts'
import { type Chosen, layoutFor } from './leveled.ts'
import { lowerModel } from './lower-model.ts'
import type { PackedOptions } from './packings.ts'
import { placeRefreshes } from './placement/place-refreshes.ts'
import { togetherOf } from './together.ts'

/** Rings that functional bootstraps are secure in. */
const RINGS = [15, 16] as const

/** Whether layers refresh what they compute. */
export const refreshesItself = ({ nodes }: Model): boolean =>
  nodes.some(({ layer }) => 'refreshes' in layer && layer.refreshes === true)

/**
 * The fastest placement.
 * @throws PlanError ('levels', 'security'); UnsupportedError when no layout fits
 */
export async function chooseFunctional(model: Model, options: PackedOptions, costModel: CostModel): Promise<Chosen> {
  if (options.logN !== undefined && !RINGS.some((logN) => logN === options.logN))
    throw new PlanError(
      'security',
      `no ring of degree 2^${options.logN} is made for functional bootstrapping, which exact neurons need: leave out the option logN`,
    )
  let best: { readonly chosen: Chosen; readonly seconds: number } | undefined
  let refused: HeMlError | undefined
  for (const logN of options.logN === undefined ? RINGS : [options.logN]) {
    try {
      const maxSlots = 2 ** (logN - 1)
      const layout = layoutFor(model, options, maxSlots)
      const network = lowerModel(model, layout, maxSlots, options.tile ? { tile: options.tile } : {})
      const placed = await place(network, await setFor(network, logN, options, costModel), costModel, options)
      if (!best || placed.seconds < best.seconds)
        best = { seconds: placed.seconds, chosen: { ...placed.chosen, network, batch: imagesPerTensor(layout) } }
    } catch (error) {
      if (!(error instanceof HeMlError) || error instanceof CancelledError) throw error
      refused ??= error
    }
  }
  if (best) return best.chosen
  throw refused
}

const refreshesOf = ({ nodes }: Network): LayerRefresh[] =>
  nodes.flatMap(({ circuit: { refresh } }) => (refresh ? [refresh] : []))

async function setFor(
  network: Network,
  logN: number,
  { functional = {} }: PackedOptions,
  costModel: CostModel,
): Promise<FunctionalSet> {
  const { nodes } = network
  const refreshes = refreshesOf(network)
  if (functional.set !== undefined) {
    const set = functionalSet(functional.set)
    if (set.parameters.logN !== logN)
      throw new PlanError(
        'security',
        `the set ${functional.set} is of a ring of degree 2^${set.parameters.logN}, the option logN says ${logN}: leave one of them out`,
      )
    const deepest = nodes.find(({ circuit: { refresh } }) => (refresh?.functionLevels ?? 0) > set.spec.functionLevels)
    if (deepest)
      throw new PlanError(
        'levels',
        `the set ${functional.set} gives functions ${set.spec.functionLevels} levels, "${deepest.name}" takes ${deepest.circuit.refresh!.functionLevels}: name another, or leave the option functional.set out`,
      )
    return set
  }
  const largest = refreshes.reduce((a, b) => (a.slots * a.ciphertexts >= b.slots * b.ciphertexts ? a : b))
  const { margin } = functional
  const need = {
    levels: levelsBetween(network),
    functionLevels: Math.max(...refreshes.map(({ functionLevels }) => functionLevels)),
    points: Math.max(4, 2 ** Math.ceil(Math.log2(Math.max(...refreshes.map(({ points }) => points))))),
    rings: [logN],
    slots: largest.slots,
    content: largest.content,
    ...(margin === undefined ? {} : { margin }),
  }
  return (await designFunctional(need, costModel)).set
}

/** Most levels on a way from one refresh (or the input) to the next one, or to the output. */
function levelsBetween({ nodes, inputs, output }: Network): number {
  const since = new Map(inputs.map((input) => [input, 0]))
  let most = 0
  for (const { inputs: read, outputs, circuit } of nodes) {
    const used = circuit.depth + Math.max(...read.map((name) => since.get(name)!))
    most = Math.max(most, used)
    for (const value of outputs) since.set(value, circuit.refresh ? 0 : used)
  }
  return Math.max(most, since.get(output)!)
}

/** One circuit for each period of slots and content. */
function functionalsFor(network: Network, { parameters, spec }: FunctionalSet): ProgramFunctional[] {
  const groups = new Map<string, LayerRefresh[]>()
  for (const refresh of refreshesOf(network)) {
    const key = `${refresh.slots} ${refresh.content}`
    groups.set(key, [...(groups.get(key) ?? []), refresh])
  }
  return [...groups.values()].map((refreshes) => {
    const { slots, content } = refreshes[0]!
    return {
      functional: createFunctionalBootstrapping(parameters, { ...spec, slots, content }),
      periods: [...new Set(refreshes.map(({ period }) => period))].sort((a, b) => a - b),
      ...togetherOf(refreshes.map(({ ciphertexts }) => (content === 'complex' ? ciphertexts / 2 : ciphertexts))),
    }
  })
}

async function place(network: Network, set: FunctionalSet, costModel: CostModel, options: PackedOptions) {
  const { parameters } = set
  const functionals = functionalsFor(network, set)
  const costs = new LayerCosts(parameters, costModel, functionals)
  const seconds = await costs.all(network, reach(network, functionals, parameters.maxLevel))
  const problem = {
    inputs: network.inputs,
    inputLevel: parameters.maxLevel,
    output: network.output,
    outputLevel: lowestOutput(set, options),
    nodes: network.nodes.map(({ name, inputs, outputs, circuit, tiles }) => {
      const { needs, gives } = layerLevels(circuit, functionals)
      return {
        name,
        inputs,
        outputs,
        depth: needs,
        ...(circuit.refresh ? { gives: gives(needs) } : {}),
        seconds: (level: Level) => tiles * (seconds.get(name)![level] ?? Number.POSITIVE_INFINITY),
      }
    }),
    refreshOptions: () => [],
  }
  const found = placeRefreshes(problem)
  if (!found)
    throw new PlanError(
      'levels',
      `no placement: between two layers that refresh what they compute lie more levels than ${functionals[0]?.functional.usableLevels ?? 0}: lower the option activation.degree, leave out the option functional.set where it names one, or let more of the neurons decide exactly, which refreshes`,
    )
  const steps = inTiles(
    network,
    network.nodes.map(({ name }, i): PlacedStep => ({ layer: name, level: found.levels[i]! })),
  )
  const chosen = {
    parameters,
    steps,
    program: buildProgram(network, steps, [], functionals),
    functional: {
      circuits: functionals.map(({ functional: { spec }, periods, ...rest }) => ({
        spec,
        periods: [...periods],
        ...rest,
      })),
    },
  }
  return { chosen, seconds: found.seconds }
}

/** Highest level at which each node can read its inputs. */
function reach(network: Network, functionals: readonly ProgramFunctional[], inputLevel: Level) {
  const results = new Map<string, Level>(network.inputs.map((input) => [input, inputLevel]))
  const reads = new Map<string, Level>()
  for (const { name, inputs, outputs, circuit } of network.nodes) {
    const level = Math.min(...inputs.map((input) => results.get(input)!))
    reads.set(name, level)
    for (const value of outputs) results.set(value, layerLevels(circuit, functionals).gives(level))
  }
  return reads
}

/** The lowest level whose modulus holds the largest result. @throws PlanError when none does */
function lowestOutput({ parameters }: FunctionalSet, { calibration }: PackedOptions): Level {
  const largest = calibration?.outputMagnitude ?? 0
  for (let level = 0; level <= parameters.maxLevel; level++)
    if (Math.log2(largest) < parameters.logQAt(level) - Math.log2(parameters.scaleAt(level)) - 1) return level
  throw new PlanError(
    'range',
    `results of up to ${largest.toPrecision(3)} were seen, more than the moduli hold: scale the last layer down`,
  )
}
