/**
 * Writes a program step by step and keeps the books: which value is the newest of each tensor, at which level it stands, which
 * weights are there already.
 */
import { FormatError, type Level } from '@he-ml/ckks-core'
import { imagesPerTensor, type LoweredLayer, type SlotLayout } from '@he-ml/packing'
import { functionalOf, layerLevels } from './layer-levels.ts'
import { type Network, type NetworkNode, tilesOf } from './network.ts'
import type { PlacedRefresh } from './placed-step.ts'
import type { Program, ProgramCircuit, ProgramFunctional, ProgramInput } from './program.ts'
import { type RefreshShape, refreshLevels } from './refresh-shape.ts'
import type { LayerTask, Task } from './task.ts'
import { type Part, type Value, type ValueId, wholeOf } from './value.ts'
import type { Weights, WeightsId } from './weights.ts'

/** Builds one program. */
export class ProgramBuilder {
  readonly #network: Network
  readonly #circuits: readonly ProgramCircuit[]
  readonly #functionals: readonly ProgramFunctional[]
  readonly #tasks: Task[] = []
  readonly #values = new Map<ValueId, Value>()
  readonly #weights = new Map<WeightsId, Weights>()
  readonly #newest = new Map<string, Value>()
  readonly #names: Set<string>
  /** Of tiles, by place. */
  readonly #tileNames = new Map<string, string>()
  readonly #shared = new Map<LoweredLayer, string>()
  readonly #input: ProgramInput

  /** @param inputLevel of a fresh input */
  constructor(
    network: Network,
    inputLevel: Level,
    circuits: readonly ProgramCircuit[] = [],
    functionals: readonly ProgramFunctional[] = [],
  ) {
    const { inputs, inputLayout: whole, nodes, layouts } = network
    this.#network = network
    this.#circuits = circuits
    this.#functionals = functionals
    this.#names = new Set([...inputs, ...nodes.flatMap(({ name, outputs }) => [name, ...outputs])])
    const layout = layouts.get(inputs[0]!)!
    const values = inputs.flatMap((input) =>
      Array.from({ length: network.inputTiles }, (_, i) => {
        const tile = network.inputTiles === 1 ? undefined : i
        return this.#write({ name: input, tile }, { tensor: input, layout, level: inputLevel })
      }),
    )
    this.#input = { values, layout, whole, level: inputLevel }
  }

  /** A whole layer, or a tile of it. @throws FormatError when its level does not fit what it reads */
  layer(node: NetworkNode, level: Level, tile?: number): void {
    const { name, kind, inputs, outputs, circuit } = node
    const { needs, gives } = layerLevels(circuit, this.#functionals)
    if (!(level >= needs))
      throw new FormatError(`plan: layer "${name}" needs level ${needs}, the plan runs it at ${level}`)
    const reads = inputs.map((input) =>
      this.#operand(node, input, tile).map((value) => {
        if (level > value.level)
          throw new FormatError(
            `plan: layer "${name}" reads "${input}" at level ${level}, it has ${value.level}: compile again`,
          )
        return value.id
      }),
    )
    const writes = circuit.outputs.map((layout, i) => {
      const output = outputs[i]!
      const about = { tensor: tensorOf(this.#network, output), layout, level: gives(level) }
      return this.#write({ name: output, tile }, about).id
    })
    const weights = [this.#layerWeights(circuit, level), ...this.#functionalWeights(circuit)]
    const merge = node.merges === undefined ? {} : { isMerge: true as const }
    const id = this.#tileName({ name, tile }, node.tiles)
    this.#tasks.push({
      id,
      kind,
      layer: name,
      circuit,
      reads,
      writes,
      level,
      weights,
      keys: [],
      ...tiled(tile),
      ...merge,
      ...this.#together(circuit),
    })
  }

  /** Bootstraps values together. @throws FormatError when they do not fit each other or the circuit */
  refresh(placed: PlacedRefresh): void {
    const { values: names, circuit, range, merge, tile } = placed
    const used = this.#circuits[circuit] ?? refuse(placed, `circuit ${circuit} does not exist`)
    const { bootstrapping, ranges, together = 1 } = used
    const layouts = names.map((name) => this.#network.layouts.get(name))
    const [first] = layouts
    if (!first || new Set(names).size !== names.length) refuse(placed, 'its values are not distinct layers')
    const { slots: period } = first
    if (layouts.some((layout) => layout?.slots !== period)) refuse(placed, 'its values have different periods')
    if (!ranges.includes(range)) refuse(placed, `circuit ${circuit} is not prepared for the range ${range}`)
    if (period * merge !== bootstrapping.spec.slots)
      refuse(placed, `${merge} times ${period} slots are not the circuit's ${bootstrapping.spec.slots}`)
    const ciphertexts = layouts.reduce((sum, layout) => sum + layout!.ciphertexts, 0)
    const shape: RefreshShape = { period, merge, ciphertexts }
    const { needs, gives } = refreshLevels(bootstrapping, merge)
    const before = names.map((name) => this.#value(name, tile))
    const low = before.find(({ level }) => level < needs)
    if (low) refuse(placed, `"${low.tensor}" is at level ${low.level}, the circuit needs ${needs}`)
    const weights = this.#refreshWeights(circuit, used, shape)
    const tiles = tilesOf(this.#network, names[0]!)
    const writes = names.map((name, i) => {
      const { tensor, layout } = before[i]!
      const id = this.#unused(`${this.#tileName({ name, tile }, tiles)}, refreshed`)
      return this.#write({ name, tile }, { tensor, layout, level: gives }, id).id
    })
    this.#tasks.push({
      id: this.#unused(`refresh ${numbered(names.join(' and '), tile, tiles)}`),
      kind: 'refresh',
      reads: before.map(({ id }) => [id]),
      writes,
      level: needs,
      weights,
      keys: [],
      refresh: { circuit, range, shape, together },
      ...tiled(tile),
    })
  }

  /** @throws FormatError when nothing computes the output */
  build(): Program {
    return {
      tasks: this.#tasks,
      values: this.#values,
      weights: this.#weights,
      circuits: this.#circuits,
      functionals: this.#functionals,
      input: this.#input,
      output: this.#value(this.#network.output),
    }
  }

  /** What a node reads of an input: the tile of its own number, or those that it merges. */
  #operand({ merges }: NetworkNode, input: string, tile: number | undefined): Value[] {
    if (merges === undefined) return [this.#value(input, tile)]
    const tiles = tilesOf(this.#network, input)
    const first = (tile ?? 0) * merges
    return Array.from({ length: merges }, (_, i) => this.#value(input, tiles === 1 ? undefined : first + i))
  }

  #value(name: string, tile?: number): Value {
    const value = this.#newest.get(placeName({ name, tile }))
    if (!value) throw new FormatError(`plan: "${name}" is used before it is computed`)
    return value
  }

  /** A tile that will be merged is a part of what the merge reads. */
  #write(place: Place, about: Omit<Value, 'id' | 'part'>, id?: ValueId): Value {
    const { name, tile } = place
    const joined = this.#network.joined.get(name)
    const { ciphertexts: count } = about.layout
    const part = joined ? { first: ((tile ?? 0) * count) % joined.ciphertexts, count } : wholeOf(about.layout)
    const own = id ?? this.#tileName(place, tilesOf(this.#network, name))
    const value = { id: own, ...about, layout: joined ?? about.layout, part, ...imagesFrom(about.layout, tile, part) }
    this.#values.set(own, value)
    this.#newest.set(placeName(place), value)
    return value
  }

  #layerWeights(circuit: LoweredLayer, level: Level): WeightsId {
    const name = this.#shared.get(circuit) ?? circuit.name
    this.#shared.set(circuit, name)
    const id = `${name} at level ${level}`
    const known = this.#weights.get(id)
    // another circuit of the same name: the layer on other layouts
    if (known?.kind === 'layer' && known.circuit !== circuit) {
      this.#shared.set(circuit, this.#unused(name))
      return this.#layerWeights(circuit, level)
    }
    this.#weights.set(id, known ?? { kind: 'layer', id, circuit, level })
    return id
  }

  #functionalWeights({ name, refresh }: LoweredLayer): WeightsId[] {
    if (!refresh) return []
    const index = functionalOf(name, refresh, this.#functionals)
    const id = `functional bootstrapping ${index}`
    const { functional, periods } = this.#functionals[index]!
    this.#weights.set(id, { kind: 'functional', id, functional, periods })
    return [id]
  }

  #together({ name, refresh }: LoweredLayer): Pick<LayerTask, 'together'> {
    if (!refresh) return {}
    const { together } = this.#functionals[functionalOf(name, refresh, this.#functionals)]!
    return together === undefined ? {} : { together }
  }

  #refreshWeights(circuit: number, { bootstrapping, ranges }: ProgramCircuit, shape: RefreshShape): WeightsId[] {
    const id = `bootstrapping ${circuit}`
    this.#weights.set(id, { kind: 'bootstrapping', id, bootstrapping, ranges })
    const { period, merge } = shape
    if (merge === 1) return [id]
    const masks = `masks of ${period} in bootstrapping ${circuit}`
    this.#weights.set(masks, { kind: 'masks', id: masks, bootstrapping, shape: { period, merge } })
    return [id, masks]
  }

  /** The place's own name, or one with the tile's number that nothing else has. */
  #tileName(place: Place, tiles: number): string {
    const { name, tile } = place
    if (tile === undefined) return name
    const known = this.#tileNames.get(placeName(place)) ?? this.#unused(numbered(name, tile, tiles))
    this.#tileNames.set(placeName(place), known)
    return known
  }

  #unused(name: string): string {
    const free = this.#names.has(name) ? `${name}, again` : name
    if (free !== name && this.#names.has(free)) return this.#unused(free)
    this.#names.add(free)
    return free
  }
}

/** A value of the network, and which tile of it. */
interface Place {
  readonly name: string
  readonly tile: number | undefined
}

const placeName = ({ name, tile }: Place): string => JSON.stringify([name, tile ?? null])

const numbered = (name: string, tile: number | undefined, tiles: number): string =>
  tile === undefined ? name : `${name} [${tile + 1}/${tiles}]`

const tiled = (tile: number | undefined): { readonly tile?: number } => (tile === undefined ? {} : { tile })

/** The first image of the layout that a tile is a part of. */
function imagesFrom(layout: SlotLayout, tile: number | undefined, { first, count }: Part): { firstImage?: number } {
  return tile === undefined ? {} : { firstImage: (tile - first / count) * imagesPerTensor(layout) }
}

/** What a merge makes of a value is the same tensor. */
const tensorOf = ({ nodes, joined }: Network, value: string): string =>
  joined.has(value)
    ? nodes.find(({ merges, inputs }) => merges !== undefined && inputs[0] === value)!.outputs[0]!
    : value

function refuse({ values }: PlacedRefresh, why: string): never {
  throw new FormatError(`plan: the refresh of "${values.join('", "')}": ${why}; compile again`)
}
