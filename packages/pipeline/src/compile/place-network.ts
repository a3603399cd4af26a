/** A program with bootstraps: the search of `placement` on a real network, with real prices. */
import {
  type AnyParameters,
  type BootstrappingSpec,
  type CostModel,
  createBootstrapping,
  type Level,
  PlanError,
} from '@he-ml/ckks-core'
import { gapsOf, type SlotLayout } from '@he-ml/packing'
import { buildProgram } from '../program/build-program.ts'
import { inTiles } from '../program/in-tiles.ts'
import { type Network, tilesOf } from '../program/network.ts'
import type { PlacedStep } from '../program/placed-step.ts'
import type { Program, ProgramCircuit } from '../program/program.ts'
import { bootstrapCount, type RefreshShape } from '../program/refresh-shape.ts'
import { LayerCosts } from './layer-costs.ts'
import { placeRefreshes } from './placement/place-refreshes.ts'
import type { Placement, PlacementProblem, RefreshOption } from './placement/problem.ts'
import { type RefreshChoice, RefreshPrices } from './refresh-prices.ts'
import { togetherOf } from './together.ts'

export interface NetworkPlacement {
  readonly program: Program
  readonly steps: readonly PlacedStep[]
  /** Seconds of layers and bootstraps. */
  readonly seconds: number
  /** Whether it is the optimum. */
  readonly exact: boolean
}

export interface PlaceOptions {
  /** Range of each value that may be bootstrapped. */
  readonly ranges: ReadonlyMap<string, number>
  readonly outputLevel: Level
  /** Highest level of a fresh input. */
  readonly inputLevel: Level
  /** Of the search; see `placeRefreshes`. */
  readonly mostStates?: number
}

/** Searches under one set of parameters; prices are remembered between searches. */
export class NetworkPlacer {
  readonly #parameters: AnyParameters
  readonly #refreshPrices: RefreshPrices
  readonly #layerCosts: LayerCosts
  /** Level of a bootstrapped value. */
  readonly outputLevel: Level

  constructor(parameters: AnyParameters, spec: BootstrappingSpec, costModel: CostModel) {
    this.#parameters = parameters
    this.#refreshPrices = new RefreshPrices(parameters, spec, costModel)
    this.#layerCosts = new LayerCosts(parameters, costModel)
    this.outputLevel = createBootstrapping(parameters, spec).outputLevel
  }

  /**
   * The cheapest program, or undefined when there is none.
   * @throws PlanError ('range') when nothing may be bootstrapped for want of statistics
   */
  async place(model: Network, options: PlaceOptions): Promise<NetworkPlacement | undefined> {
    const seconds = await this.#layerCosts.all(model, this.#reach(model, options.inputLevel))
    const refreshOptions = await this.#refreshTable(model, options.ranges)
    const problem: PlacementProblem<RefreshChoice> = {
      inputs: model.inputs,
      inputLevel: options.inputLevel,
      output: model.output,
      outputLevel: options.outputLevel,
      nodes: model.nodes.map(({ name, inputs, outputs, circuit, tiles }) => ({
        name,
        inputs,
        outputs,
        depth: circuit.depth,
        seconds: (level: Level) => tiles * (seconds.get(name)![level] ?? Number.POSITIVE_INFINITY),
      })),
      refreshOptions,
    }
    const { mostStates } = options
    const found = placeRefreshes(problem, mostStates === undefined ? {} : { mostStates })
    if (found) return this.#assemble(model, found, options.ranges)
    if (options.ranges.size === 0)
      throw new PlanError(
        'range',
        `bootstrapping needs the range of the values it refreshes, and nothing is known of them: pass what fit(model, data) gives as the option calibration`,
      )
    return undefined
  }

  /** Highest level at which each node can read its inputs. */
  #reach({ nodes, inputs: given }: Network, inputLevel: Level): ReadonlyMap<string, Level> {
    const reads = new Map<string, Level>()
    const results = new Map<string, Level>(given.map((input) => [input, inputLevel]))
    for (const { name, inputs, outputs, circuit } of nodes) {
      const level = Math.min(...inputs.map((i) => Math.max(results.get(i)!, given.includes(i) ? 0 : this.outputLevel)))
      reads.set(name, level)
      for (const value of outputs) results.set(value, level - circuit.depth)
    }
    return reads
  }

  /** Prices for all values alone and for all pairs of one period, looked up by name. */
  async #refreshTable(network: Network, ranges: ReadonlyMap<string, number>) {
    const { nodes, layouts } = network
    const refreshable = new Map<string, SlotLayout>()
    for (const name of nodes.flatMap(({ outputs }) => outputs)) {
      const layout = layouts.get(name)!
      if (ranges.has(name) && gapsOf(layout) !== 'any') refreshable.set(name, layout)
    }
    const table = new Map<string, readonly RefreshOption<RefreshChoice>[]>()
    const key = (ciphertexts: number, period: number) => `${ciphertexts}/${period}`
    const all = [...refreshable.values()]
    for (const [i, a] of all.entries()) {
      const counts = [a.ciphertexts]
      for (const b of all.slice(i + 1)) if (b.slots === a.slots) counts.push(a.ciphertexts + b.ciphertexts)
      for (const count of new Set(counts))
        table.set(key(count, a.slots), await this.#refreshPrices.options(count, a.slots))
    }
    return (values: readonly string[]): readonly RefreshOption<RefreshChoice>[] => {
      const given = values.map((name) => refreshable.get(name))
      const [first] = given
      if (!first || given.some((layout) => layout?.slots !== first.slots)) return []
      const tiles = tilesOf(network, values[0]!)
      if (values.some((value) => tilesOf(network, value) !== tiles)) return []
      const ciphertexts = given.reduce((sum, layout) => sum + layout!.ciphertexts, 0)
      const options = table.get(key(ciphertexts, first.slots))!
      return tiles === 1 ? options : options.map((option) => ({ ...option, seconds: tiles * option.seconds }))
    }
  }

  #assemble(model: Network, found: Placement<RefreshChoice>, ranges: ReadonlyMap<string, number>): NetworkPlacement {
    const specs: BootstrappingSpec[] = []
    const used: Set<number>[] = []
    const shapes: RefreshShape[][] = []
    const before = new Map<number, PlacedStep[]>()
    for (const { before: index, values, option } of found.refreshes) {
      const { spec, merge } = option.choice
      const known = specs.findIndex((s) => s.slots === spec.slots && s.content === spec.content)
      const circuit = known < 0 ? specs.push(spec) - 1 : known
      const range = Math.max(...values.map((name) => ranges.get(name)!))
      used[circuit] = (used[circuit] ?? new Set()).add(range)
      const ciphertexts = values.reduce((sum, name) => sum + model.layouts.get(name)!.ciphertexts, 0)
      shapes[circuit] = [...(shapes[circuit] ?? []), { ciphertexts, period: spec.slots / merge, merge }]
      before.set(index, [...(before.get(index) ?? []), { values: [...values], circuit, range, merge }])
    }
    const circuits = specs.map((spec, i): ProgramCircuit => {
      const bootstrapping = createBootstrapping(this.#parameters, spec)
      const ranges = [...used[i]!].sort((a, b) => a - b)
      return { bootstrapping, ranges, ...togetherOf(shapes[i]!.map((shape) => bootstrapCount(bootstrapping, shape))) }
    })
    const placed = model.nodes.flatMap(({ name }, i): PlacedStep[] => [
      ...(before.get(i) ?? []),
      { layer: name, level: found.levels[i]! },
    ])
    const steps = inTiles(model, placed)
    return { program: buildProgram(model, steps, circuits), steps, seconds: found.seconds, exact: found.exact }
  }
}
