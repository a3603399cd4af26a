/**
 * What runs when, and at which level. Without bootstrapping layers run as late as possible, at the lowest level from which
 * everything after them still fits: few limbs, cheap operations. With it, a placement says where they run.
 */
import { type Bootstrapping, FormatError, type Level } from '@he-ml/ckks-core'
import type { SlotLayout } from '@he-ml/packing'
import { type RefreshShape, refreshLevels } from '../refresh/refresh-shape.ts'
import type { LoweredModel, LoweredNode } from './lower-model.ts'

/** A layer in its place. */
export interface ScheduledNode extends LoweredNode {
  /** Level at which all inputs are read. */
  readonly level: Level
}

/** A bootstrap of one or more values; afterwards they stand at `outputLevel`, under the same names. */
export interface ScheduledRefresh {
  readonly name: string
  readonly kind: 'refresh'
  readonly values: readonly string[]
  /** Index into `Schedule.circuits`. */
  readonly circuit: number
  readonly range: number
  readonly shape: RefreshShape
  readonly level: Level
  readonly outputLevel: Level
}

export type ScheduledStep = ScheduledNode | ScheduledRefresh

export const isRefresh = (step: ScheduledStep): step is ScheduledRefresh => 'circuit' in step

/** A bootstrapping circuit and the ranges it is used for. */
export interface ScheduledCircuit {
  readonly bootstrapping: Bootstrapping
  readonly ranges: readonly number[]
}

export interface Schedule {
  /** Layers only. */
  readonly nodes: readonly ScheduledNode[]
  /** Layers and refreshes in the order in which they run. */
  readonly steps: readonly ScheduledStep[]
  /** Empty without bootstrapping. */
  readonly circuits: readonly ScheduledCircuit[]
  readonly input: string
  readonly inputLayout: SlotLayout
  /** Level of a fresh input. */
  readonly inputLevel: Level
  readonly output: string
  /** Level of the result. */
  readonly outputLevel: Level
}

/** Levels as late as possible; the output is left at level `outputLevel`. The input's level is the depth of the network. */
export function schedule(model: LoweredModel, outputLevel: Level = 0): Schedule {
  // level wanted at the output of each value, from the back
  const wanted = new Map<string, Level>([[model.output, outputLevel]])
  const nodes: ScheduledNode[] = []
  for (const node of model.nodes.toReversed()) {
    const level = wanted.get(node.name)! + node.lowered.depth
    for (const input of node.inputs) wanted.set(input, Math.max(wanted.get(input) ?? 0, level))
    nodes.unshift({ ...node, level })
  }
  const { input, inputLayout, output } = model
  return {
    nodes,
    steps: nodes,
    circuits: [],
    input,
    inputLayout,
    inputLevel: wanted.get(input) ?? outputLevel,
    output,
    outputLevel,
  }
}

/** A refresh as a placement, or a plan, describes it. */
export interface RefreshRecord {
  /** Name of the layer that runs next. */
  readonly before: string
  readonly values: readonly string[]
  readonly circuit: number
  readonly range: number
  readonly merge: number
}

/** Levels and refreshes of a whole network. */
export interface PlacementRecord {
  /** Level at which each layer reads its inputs. */
  readonly levels: Readonly<Record<string, Level>>
  readonly refreshes: readonly RefreshRecord[]
}

/**
 * The schedule that a placement describes, every level checked.
 * @throws FormatError when it does not fit the model or the circuits
 */
export function scheduleFrom(
  model: LoweredModel,
  circuits: readonly ScheduledCircuit[],
  placement: PlacementRecord,
): Schedule {
  const replay = new Replay(model, circuits)
  const names = new Set(model.nodes.map((node) => node.name))
  const misplaced = placement.refreshes.find(({ before }) => !names.has(before))
  if (misplaced) throw new FormatError(`plan: a refresh stands before "${misplaced.before}", which is no layer`)
  for (const node of model.nodes) {
    for (const refresh of placement.refreshes) if (refresh.before === node.name) replay.refresh(refresh)
    replay.layer(node, placement.levels[node.name])
  }
  return replay.schedule()
}

/** Walks through a placement and keeps the books on levels. */
class Replay {
  readonly #model: LoweredModel
  readonly #circuits: readonly ScheduledCircuit[]
  readonly #levels = new Map<string, Level>()
  readonly #names: Set<string>
  readonly #steps: ScheduledStep[] = []
  #inputLevel = 0

  constructor(model: LoweredModel, circuits: readonly ScheduledCircuit[]) {
    this.#model = model
    this.#circuits = circuits
    this.#names = new Set([model.input, ...model.nodes.map((node) => node.name)])
  }

  layer(node: LoweredNode, level: Level | undefined): void {
    const { name, inputs, lowered } = node
    if (level === undefined || level < lowered.depth)
      throw new FormatError(`plan: layer "${name}" takes ${lowered.depth} levels, the plan runs it at ${level}`)
    for (const input of inputs) {
      if (input === this.#model.input) this.#inputLevel = Math.max(this.#inputLevel, level)
      else if (level > this.#level(input))
        throw new FormatError(
          `plan: layer "${name}" reads "${input}" at level ${level}, it has ${this.#level(input)}: compile again`,
        )
    }
    this.#levels.set(name, level - lowered.depth)
    this.#steps.push({ ...node, level })
  }

  refresh(record: RefreshRecord): void {
    const { values, circuit, range, merge } = record
    const { bootstrapping, ranges } = this.#circuits[circuit] ?? refuse(record, `circuit ${circuit} does not exist`)
    const layouts = values.map((name) => this.#model.layouts.get(name))
    const [first] = layouts
    if (!first || new Set(values).size !== values.length) refuse(record, 'its values are not distinct layers')
    const { slots: period } = first
    if (layouts.some((layout) => layout?.slots !== period)) refuse(record, 'its values have different periods')
    if (!ranges.includes(range)) refuse(record, `circuit ${circuit} is not prepared for the range ${range}`)
    const shape: RefreshShape = {
      period,
      merge,
      ciphertexts: layouts.reduce((sum, layout) => sum + layout!.ciphertexts, 0),
    }
    if (period * merge !== bootstrapping.spec.slots)
      refuse(record, `${merge} times ${period} slots are not the circuit's ${bootstrapping.spec.slots}`)
    const { needs, gives } = refreshLevels(bootstrapping, merge)
    for (const name of values) {
      if (this.#level(name) < needs)
        refuse(record, `"${name}" is at level ${this.#level(name)}, the circuit needs ${needs}`)
      this.#levels.set(name, gives)
    }
    const name = this.#unused(`refresh ${values.join(' and ')}`)
    this.#steps.push({
      name,
      kind: 'refresh',
      values: [...values],
      circuit,
      range,
      shape,
      level: needs,
      outputLevel: gives,
    })
  }

  schedule(): Schedule {
    const { input, inputLayout, output } = this.#model
    const steps = this.#steps
    const nodes = steps.filter((step): step is ScheduledNode => !isRefresh(step))
    return {
      nodes,
      steps,
      circuits: this.#circuits,
      input,
      inputLayout,
      inputLevel: this.#inputLevel,
      output,
      outputLevel: this.#level(output),
    }
  }

  /** Level of a value that was computed. */
  #level(name: string): Level {
    const level = this.#levels.get(name)
    if (level === undefined) throw new FormatError(`plan: "${name}" is used before it is computed`)
    return level
  }
  #unused(name: string): string {
    const free = this.#names.has(name) ? `${name}, again` : name
    if (free !== name && this.#names.has(free)) return this.#unused(free)
    this.#names.add(free)
    return free
  }
}

function refuse({ values, before }: RefreshRecord, why: string): never {
  throw new FormatError(`plan: the refresh of "${values.join('", "')}" before "${before}": ${why}; compile again`)
}
