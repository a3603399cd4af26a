/**
 * What each layer costs at each level, from runs of its own circuit on the plan engine. Of many images all levels follow from one
 * run: the operations are the same, each a few levels lower; and a layer that treats all ciphertexts alike is run on one.
 */
import {
  type AnyParameters,
  type CostModel,
  createPlanEngine,
  type Level,
  type OperationRecord,
  operationSize,
} from '@he-ml/ckks-core'
import { type LoweredLayer, PackedTensor, type SlotLayout } from '@he-ml/packing'
import { StepExecutor } from '../execute/step-executor.ts'
import { functionalOf, layerLevels } from '../program/layer-levels.ts'
import type { Network, NetworkNode } from '../program/network.ts'
import type { ProgramFunctional } from '../program/program.ts'
import type { LayerTask } from '../program/task.ts'
import type { Weights } from '../program/weights.ts'

/** Seconds of one layer by the level at which it reads its inputs; Infinity below its depth. */
export type LayerSeconds = readonly number[]

/** Prices of layers on the plan engine, remembered by circuit: the time steps of a layer share theirs. */
export class LayerCosts {
  readonly #parameters: AnyParameters
  readonly #costModel: CostModel
  readonly #functionals: readonly ProgramFunctional[]
  readonly #known = new Map<LoweredLayer, Map<Level, Promise<readonly OperationRecord[]>>>()

  constructor(parameters: AnyParameters, costModel: CostModel, functionals: readonly ProgramFunctional[] = []) {
    this.#functionals = functionals
    this.#parameters = parameters
    this.#costModel = costModel
  }

  /** @param highest level up to which prices are wanted, by layer */
  async all(model: Network, highest: ReadonlyMap<string, Level>): Promise<ReadonlyMap<string, LayerSeconds>> {
    const all = new Map<string, LayerSeconds>()
    for (const node of model.nodes) all.set(node.name, await this.#layer(model, node, highest.get(node.name)!))
    return all
  }

  async #layer(model: Network, node: NetworkNode, highest: Level): Promise<LayerSeconds> {
    if (node.parts) return this.#stream(model, node, node.parts)
    const { outputs, refresh } = node.circuit
    const { needs: depth } = layerLevels(node.circuit, this.#functionals)
    // of many images weights are scalars, and a layer does the same at every level
    const isShifted = outputs[0]!.kind !== 'multiplexed' && !refresh
    const seconds = new Array<number>(Math.max(0, Math.min(depth, highest + 1))).fill(Number.POSITIVE_INFINITY)
    // one that refreshes runs at its lowest level
    for (let level = depth; level <= (refresh ? Math.min(depth, highest) : highest); level++) {
      const records = await this.#records(model, node, isShifted ? highest : level)
      seconds.push(isShifted ? this.#shifted(records, highest - level) : sum(records.map((r) => r.seconds)))
    }
    return seconds
  }

  /** Several take together what they take alone; as with any that refreshes, at the lowest level. */
  async #stream(model: Network, { circuit }: NetworkNode, parts: readonly NetworkNode[]): Promise<LayerSeconds> {
    const { needs, gives } = layerLevels(circuit, this.#functionals)
    let seconds = 0
    for (const part of parts) {
      const own = part.circuit.refresh ? layerLevels(part.circuit, this.#functionals).needs : needs
      // what takes no level sums up results
      const level = part.circuit.refresh || part.circuit.depth > 0 ? own : gives(needs)
      seconds += (await this.#layer(model, part, level))[level]!
    }
    return [...new Array<number>(needs).fill(Number.POSITIVE_INFINITY), seconds]
  }

  /** The same operations some levels lower. */
  #shifted(records: readonly OperationRecord[], down: number): number {
    const at = (record: OperationRecord, level: Level) =>
      this.#costModel.seconds(record.kind, operationSize(this.#parameters, level))
    return sum(
      records.map((record) => {
        const here = at(record, record.level)
        return here === 0 ? 0 : (record.seconds * at(record, Math.max(0, record.level - down))) / here
      }),
    )
  }

  #records(model: Network, node: NetworkNode, level: Level): Promise<readonly OperationRecord[]> {
    const ofCircuit = this.#known.get(node.circuit) ?? new Map<Level, Promise<readonly OperationRecord[]>>()
    this.#known.set(node.circuit, ofCircuit)
    const known = ofCircuit.get(level)
    if (known) return known
    const layouts = node.inputs.map((name) => model.joined.get(name) ?? model.layouts.get(name)!)
    const made = node.single
      ? this.#run(node.single, new Array(layouts.length).fill(node.single.outputs[0]), level).then((records) =>
          times(records, Math.ceil(node.circuit.outputs[0]!.ciphertexts / node.single!.outputs[0]!.ciphertexts)),
        )
      : this.#run(node.circuit, layouts, level)
    ofCircuit.set(level, made)
    return made
  }

  async #run(circuit: LoweredLayer, layouts: readonly SlotLayout[], level: Level): Promise<readonly OperationRecord[]> {
    const engine = createPlanEngine(this.#parameters, { costModel: this.#costModel })
    const own: Weights[] = [{ kind: 'layer', id: circuit.name, circuit, level }]
    let lockStep: Pick<LayerTask, 'together'> = {}
    if (circuit.refresh) {
      const index = functionalOf(circuit.name, circuit.refresh, this.#functionals)
      const { together, ...prepared } = this.#functionals[index]!
      own.push({ kind: 'functional', id: 'functional bootstrapping', ...prepared })
      if (together !== undefined) lockStep = { together }
    }
    const task = { ...taskOf(circuit, level), ...lockStep, weights: own.map(({ id }) => id) }
    const executor = new StepExecutor({ weights: new Map(own.map((w) => [w.id, w])) }, engine)
    await executor.prepare(task)
    const inputs = layouts.map(
      (layout) =>
        new PackedTensor(
          layout,
          Array.from({ length: layout.ciphertexts }, () => engine.input({ level, slots: layout.slots })),
        ),
    )
    const since = engine.checkpoint()
    await executor.run(task, inputs)
    return engine.report({ since }).operations
  }
}

/** A circuit on its own. */
function taskOf(circuit: LoweredLayer, level: Level): LayerTask {
  const { name } = circuit
  return { id: name, kind: 'layer', layer: name, circuit, reads: [], writes: [], level, weights: [name], keys: [] }
}

const times = (records: readonly OperationRecord[], factor: number): OperationRecord[] =>
  records.map((record) => ({ ...record, count: record.count * factor, seconds: record.seconds * factor }))

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
