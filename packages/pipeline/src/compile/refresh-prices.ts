/** What refreshing some ciphertexts costs, for every way of carrying them; from the plan engine, remembered. */
import {
  type AnyParameters,
  type Bootstrapping,
  type BootstrappingSpec,
  type CostModel,
  createBootstrapping,
  createPlanEngine,
  type PlanEngine,
  type PreparedBootstrapping,
  type SlotContent,
  type Slots,
} from '@he-ml/ckks-core'
import { PreparedRefresh, RefreshMasks } from '../execute/prepare-refresh.ts'
import { bootstrapLoad, type RefreshShape, refreshLevels } from '../program/refresh-shape.ts'
import type { RefreshOption } from './placement/problem.ts'
import { TOGETHER } from './together.ts'

/** The circuit and the merging that a price stands for. */
export interface RefreshChoice {
  readonly spec: BootstrappingSpec
  readonly merge: number
}

/** Shortest period that bootstrapping circuits are made for. */
const FEWEST_SLOTS = 16

/** Prices under one set of parameters. */
export class RefreshPrices {
  readonly #parameters: AnyParameters
  readonly #spec: BootstrappingSpec
  readonly #costModel: CostModel
  readonly #circuits = new Map<
    string,
    Promise<{ readonly engine: PlanEngine; readonly prepared: PreparedBootstrapping }>
  >()
  readonly #options = new Map<string, Promise<readonly RefreshOption<RefreshChoice>[]>>()

  /** @param spec slots and content are adapted to what is refreshed */
  constructor(parameters: AnyParameters, spec: BootstrappingSpec, costModel: CostModel) {
    this.#parameters = parameters
    this.#spec = spec
    this.#costModel = costModel
  }

  /** The cheapest ways for that many real ciphertexts of a period: one for each pair of levels. */
  options(ciphertexts: number, period: Slots): Promise<readonly RefreshOption<RefreshChoice>[]> {
    const key = `${ciphertexts}/${period}`
    const known = this.#options.get(key)
    if (known) return known
    const found = this.#price(ciphertexts, period)
    this.#options.set(key, found)
    return found
  }

  async #price(ciphertexts: number, period: Slots): Promise<RefreshOption<RefreshChoice>[]> {
    const best = new Map<number, RefreshOption<RefreshChoice>>()
    const most = Math.max(ciphertexts, FEWEST_SLOTS / period)
    for (let merge = 1; merge < 2 * most && merge * period <= this.#parameters.maxSlots; merge *= 2) {
      if (merge * period < FEWEST_SLOTS) continue
      for (const content of ['real', 'complex'] as const) {
        if (content === 'complex' && ciphertexts <= merge) continue
        const option = await this.#option({ ciphertexts, period, merge }, content)
        const known = best.get(option.needs)
        if (!known || option.seconds < known.seconds) best.set(option.needs, option)
      }
    }
    return [...best.values()]
  }

  async #option(shape: RefreshShape, content: SlotContent): Promise<RefreshOption<RefreshChoice>> {
    const { merge } = shape
    const spec = { ...this.#spec, slots: shape.period * merge, content }
    const bootstrapping = createBootstrapping(this.#parameters, spec)
    const group = TOGETHER * bootstrapLoad(bootstrapping, merge)
    const full = Math.floor(shape.ciphertexts / group)
    const rest = shape.ciphertexts - full * group
    const seconds =
      (full === 0 ? 0 : full * (await this.#seconds(bootstrapping, { ...shape, ciphertexts: group }))) +
      (rest === 0 ? 0 : await this.#seconds(bootstrapping, { ...shape, ciphertexts: rest }))
    return { ...refreshLevels(bootstrapping, merge), seconds, choice: { spec, merge } }
  }

  /** Seconds of bootstraps that go in lock step. */
  async #seconds(bootstrapping: Bootstrapping, shape: RefreshShape): Promise<number> {
    const { engine, prepared } = await this.#circuit(bootstrapping)
    const { needs } = refreshLevels(bootstrapping, shape.merge)
    using masks = shape.merge > 1 ? new RefreshMasks(engine, bootstrapping, shape) : undefined
    const refresh = new PreparedRefresh(prepared, { name: 'refresh', shape, range: 1, together: TOGETHER }, masks)
    const inputs = Array.from({ length: shape.ciphertexts }, () => engine.input({ level: needs, slots: shape.period }))
    const since = engine.checkpoint()
    for (const result of await refresh.apply(engine, inputs)) result.dispose()
    return engine.report({ since }).seconds
  }

  #circuit(bootstrapping: Bootstrapping) {
    const key = JSON.stringify(bootstrapping.spec)
    const known = this.#circuits.get(key)
    if (known) return known
    const engine = createPlanEngine(this.#parameters, { costModel: this.#costModel })
    const made = bootstrapping.prepare(engine).then((prepared) => ({ engine, prepared }))
    this.#circuits.set(key, made)
    return made
  }
}
