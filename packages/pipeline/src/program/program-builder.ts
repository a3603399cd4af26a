/**
 * Writes a program step by step and keeps the books: which value is the newest of each tensor, at which level it stands, which
 * weights are there already.
 */
import { FormatError, type Level } from '@he-ml/ckks-core'
import type { LoweredLayer } from '@he-ml/packing'
import type { Network, NetworkNode } from './network.ts'
import type { PlacedRefresh } from './placed-step.ts'
import type { Program, ProgramCircuit, ProgramInput } from './program.ts'
import { type RefreshShape, refreshLevels } from './refresh-shape.ts'
import type { Task } from './task.ts'
import { type Value, type ValueId, wholeOf } from './value.ts'
import type { Weights, WeightsId } from './weights.ts'

/** Builds one program. */
export class ProgramBuilder {
  readonly #network: Network
  readonly #circuits: readonly ProgramCircuit[]
  readonly #tasks: Task[] = []
  readonly #values = new Map<ValueId, Value>()
  readonly #weights = new Map<WeightsId, Weights>()
  readonly #newest = new Map<string, Value>()
  readonly #names: Set<string>
  readonly #shared = new Map<LoweredLayer, string>()
  readonly #input: ProgramInput

  /** @param inputLevel of a fresh input */
  constructor(network: Network, inputLevel: Level, circuits: readonly ProgramCircuit[] = []) {
    const { inputs, inputLayout: layout, nodes } = network
    this.#network = network
    this.#circuits = circuits
    this.#names = new Set([...inputs, ...nodes.flatMap(({ name, outputs }) => [name, ...outputs])])
    const values = inputs.map((input) => this.#write(input, { tensor: input, layout, level: inputLevel }))
    this.#input = { values, layout, level: inputLevel }
  }

  /** A whole layer. @throws FormatError when its level does not fit what it reads */
  layer(node: NetworkNode, level: Level): void {
    const { name, kind, inputs, outputs, circuit } = node
    if (!(level >= circuit.depth))
      throw new FormatError(`plan: layer "${name}" takes ${circuit.depth} levels, the plan runs it at ${level}`)
    const reads = inputs.map((input) => {
      const value = this.#value(input)
      if (level > value.level)
        throw new FormatError(
          `plan: layer "${name}" reads "${input}" at level ${level}, it has ${value.level}: compile again`,
        )
      return [value.id]
    })
    const writes = circuit.outputs.map(
      (layout, i) => this.#write(outputs[i]!, { tensor: outputs[i]!, layout, level: level - circuit.depth }).id,
    )
    const weights = [this.#layerWeights(circuit, level)]
    this.#tasks.push({ id: name, kind, layer: name, circuit, reads, writes, level, weights, keys: [] })
  }

  /** Bootstraps values together. @throws FormatError when they do not fit each other or the circuit */
  refresh(placed: PlacedRefresh): void {
    const { values: names, circuit, range, merge } = placed
    const used = this.#circuits[circuit] ?? refuse(placed, `circuit ${circuit} does not exist`)
    const { bootstrapping, ranges } = used
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
    const before = names.map((name) => this.#value(name))
    const low = before.find(({ level }) => level < needs)
    if (low) refuse(placed, `"${low.tensor}" is at level ${low.level}, the circuit needs ${needs}`)
    const weights = this.#refreshWeights(circuit, used, shape)
    const writes = before.map(({ tensor, layout }) => {
      return this.#write(this.#unused(`${tensor}, refreshed`), { tensor, layout, level: gives }).id
    })
    this.#tasks.push({
      id: this.#unused(`refresh ${names.join(' and ')}`),
      kind: 'refresh',
      reads: before.map(({ id }) => [id]),
      writes,
      level: needs,
      weights,
      keys: [],
      refresh: { circuit, range, shape },
    })
  }

  /** @throws FormatError when nothing computes the output */
  build(): Program {
    return {
      tasks: this.#tasks,
      values: this.#values,
      weights: this.#weights,
      circuits: this.#circuits,
      input: this.#input,
      output: this.#value(this.#network.output),
    }
  }

  #value(tensor: string): Value {
    const value = this.#newest.get(tensor)
    if (!value) throw new FormatError(`plan: "${tensor}" is used before it is computed`)
    return value
  }

  #write(id: ValueId, about: Omit<Value, 'id' | 'part'>): Value {
    const value = { id, ...about, part: wholeOf(about.layout) }
    this.#values.set(id, value)
    this.#newest.set(about.tensor, value)
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

  #refreshWeights(circuit: number, { bootstrapping, ranges }: ProgramCircuit, shape: RefreshShape): WeightsId[] {
    const id = `bootstrapping ${circuit}`
    this.#weights.set(id, { kind: 'bootstrapping', id, bootstrapping, ranges })
    const { period, merge } = shape
    if (merge === 1) return [id]
    const masks = `masks of ${period} in bootstrapping ${circuit}`
    this.#weights.set(masks, { kind: 'masks', id: masks, bootstrapping, shape: { period, merge } })
    return [id, masks]
  }

  #unused(name: string): string {
    const free = this.#names.has(name) ? `${name}, again` : name
    if (free !== name && this.#names.has(free)) return this.#unused(free)
    this.#names.add(free)
    return free
  }
}

function refuse({ values }: PlacedRefresh, why: string): never {
  throw new FormatError(`plan: the refresh of "${values.join('", "')}": ${why}; compile again`)
}
