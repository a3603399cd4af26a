/**
 * Programs of whole networks. Without bootstrapping layers run as late as possible, at the lowest level from which everything
 * after them still fits: few limbs, cheap operations. With it, a placement says where they run.
 */
import { FormatError, type Level } from '@he-ml/ckks-core'
import { inTiles } from './in-tiles.ts'
import type { Network, NetworkNode } from './network.ts'
import { isPlacedRefresh, type PlacedLayer, type PlacedStep } from './placed-step.ts'
import type { Program, ProgramCircuit, ProgramFunctional } from './program.ts'
import { ProgramBuilder } from './program-builder.ts'

/** Every layer at its latest level; the output is left at level `outputLevel`. */
export function latestLevels(network: Network, outputLevel: Level = 0): PlacedLayer[] {
  // level wanted at the output of each value, from the back
  const wanted = new Map<string, Level>([[network.output, outputLevel]])
  const placed: PlacedLayer[] = []
  for (const { name, inputs, outputs, circuit } of network.nodes.toReversed()) {
    const level = circuit.depth + Math.max(...outputs.map((value) => wanted.get(value) ?? 0))
    for (const input of inputs) wanted.set(input, Math.max(wanted.get(input) ?? 0, level))
    placed.unshift({ layer: name, level })
  }
  return placed
}

/**
 * The program that a placement describes, every level checked.
 *
 * @param steps every layer of the network once, or once for each tile, in the order of `inTiles`, and refreshes among them
 * @throws FormatError when they do not fit the network or the circuits
 */
export function buildProgram(
  network: Network,
  steps: readonly PlacedStep[],
  circuits: readonly ProgramCircuit[] = [],
  functionals: readonly ProgramFunctional[] = [],
): Program {
  const builder = new ProgramBuilder(network, inputLevelOf(network, steps), circuits, functionals)
  const nodes = inTiles<PlacedLayer & { readonly node: NetworkNode }>(
    network,
    network.nodes.map((node) => ({ layer: node.name, level: 0, node })),
  )
  for (const step of steps) {
    if (isPlacedRefresh(step)) {
      builder.refresh(step)
      continue
    }
    const wanted = nodes.shift()
    if (wanted?.layer !== step.layer || wanted.tile !== step.tile)
      throw new FormatError(
        `plan: layer ${quoted(step)} stands where ${wanted ? quoted(wanted) : 'no layer'} of the model does: compile again`,
      )
    builder.layer(wanted.node, step.level, step.tile)
  }
  if (nodes.length > 0) throw new FormatError(`plan: it does not run layer ${quoted(nodes[0]!)}`)
  return builder.build()
}

const quoted = ({ layer, tile }: PlacedLayer): string => `"${layer}"${tile === undefined ? '' : ` (tile ${tile + 1})`}`

/** The highest level at which an input is read: the first frame's, as a rule, and all are encrypted alike. */
function inputLevelOf({ inputs: given, nodes }: Network, steps: readonly PlacedStep[]): Level {
  const isReader = (node: NetworkNode) => node.inputs.some((input) => given.includes(input))
  const readers = new Set(nodes.filter(isReader).map(({ name }) => name))
  const levels = steps.map((step) => (!isPlacedRefresh(step) && readers.has(step.layer) ? step.level : 0))
  return levels.reduce((a, b) => Math.max(a, b), 0)
}
