import { type AnyParameters, type CostModel, createPlanEngine, type Level } from '@he-ml/ckks-core'
import { PackedTensor, type SlotLayout } from '@he-ml/packing'
import type { LoweredModel, LoweredNode } from './lower-model.ts'

/** Seconds of one layer by the level at which it reads its inputs; Infinity below its depth. */
export type LayerSeconds = readonly number[]

/** Prices of layers on the plan engine, remembered: one run of each layer's own circuit at each level. */
export class LayerCosts {
  readonly #parameters: AnyParameters
  readonly #costModel: CostModel
  readonly #known = new Map<string, number>()

  constructor(parameters: AnyParameters, costModel: CostModel) {
    this.#parameters = parameters
    this.#costModel = costModel
  }

  /** @param highest level up to which prices are wanted, by layer */
  async all(model: LoweredModel, highest: ReadonlyMap<string, Level>): Promise<ReadonlyMap<string, LayerSeconds>> {
    const all = new Map<string, LayerSeconds>()
    for (const node of model.nodes) {
      const layouts = node.inputs.map((name) => model.layouts.get(name)!)
      const seconds: number[] = []
      for (let level = 0; level <= highest.get(node.name)!; level++)
        seconds.push(
          level < node.lowered.depth
            ? Number.POSITIVE_INFINITY
            : await this.#seconds(`${model.gaps} ${node.name} ${level}`, node, layouts, level),
        )
      all.set(node.name, seconds)
    }
    return all
  }

  async #seconds(key: string, node: LoweredNode, layouts: readonly SlotLayout[], level: Level): Promise<number> {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const engine = createPlanEngine(this.#parameters, { costModel: this.#costModel })
    using prepared = await node.lowered.prepare(engine, { level })
    const inputs = layouts.map(
      (layout) =>
        new PackedTensor(
          layout,
          Array.from({ length: layout.ciphertexts }, () => engine.input({ level, slots: layout.slots })),
        ),
    )
    const since = engine.checkpoint()
    await prepared.apply(engine, inputs)
    const { seconds } = engine.report({ since })
    this.#known.set(key, seconds)
    return seconds
  }
}
