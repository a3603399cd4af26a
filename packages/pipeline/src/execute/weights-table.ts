/** The weights of a program on one engine: each encoded when it is first wanted, shared by all tasks that name it. */
import type { Encoder, Evaluator, PreparedBootstrapping, PreparedFunctionalBootstrapping } from '@he-ml/ckks-core'
import type { PreparedLayer } from '@he-ml/packing'
import type { Program } from '../program/program.ts'
import type { Weights, WeightsId } from '../program/weights.ts'
import { RefreshMasks } from './prepare-refresh.ts'

/** What encoding gives, by the kind of the weights. */
export interface PreparedWeights {
  readonly layer: PreparedLayer
  readonly bootstrapping: PreparedBootstrapping
  readonly masks: RefreshMasks
  readonly functional: PreparedFunctionalBootstrapping
}

/** How weights are encoded. */
export interface EncodingOptions {
  /** Diagonals of layers as coefficients; those of bootstraps, which are used again and again, never. */
  readonly deferred?: boolean
  readonly signal?: AbortSignal
}

type Encoded = Promise<PreparedWeights[keyof PreparedWeights]>

/** Encodes and keeps. */
export class WeightsTable {
  readonly #weights: ReadonlyMap<WeightsId, Weights>
  readonly #engine: Encoder & Evaluator
  readonly #encoded = new Map<WeightsId, Encoded>()
  readonly #confirmed = new Set<WeightsId>()
  readonly #deferred = new Set<WeightsId>()

  constructor({ weights }: Pick<Program, 'weights'>, engine: Encoder & Evaluator) {
    this.#weights = weights
    this.#engine = engine
  }

  /** Those that are encoded, or being encoded. */
  get ids(): readonly WeightsId[] {
    return [...this.#encoded.keys()]
  }

  /** Those of them in one form. */
  idsOf(deferred: boolean): readonly WeightsId[] {
    return this.ids.filter((id) => this.#deferred.has(id) === deferred)
  }

  /** Known to be encoded, not merely queued. */
  confirmed(id: WeightsId): boolean {
    return this.#confirmed.has(id)
  }
  confirm(id: WeightsId): void {
    this.#confirmed.add(id)
  }

  /**
   * Encodes, unless it was done before, in whatever form.
   * @param options.deferred see `EncodeOptions` of ckks-core
   * @throws CancelledError through the signal; whatever encoding throws
   */
  async encode(id: WeightsId, options: EncodingOptions = {}): Promise<void> {
    const known = this.#encoded.get(id)
    if (known) return void (await known)
    const made = this.#prepare(this.#weights.get(id)!, options)
    this.#encoded.set(id, made)
    if (options.deferred) this.#deferred.add(id)
    else this.#deferred.delete(id)
    made.catch(() => {
      if (this.#encoded.get(id) === made) this.#encoded.delete(id)
    })
    await made
  }

  /** The encoded weights of one kind among `ids`; undefined where there are none of it. */
  async find<Kind extends keyof PreparedWeights>(
    kind: Kind,
    ids: readonly WeightsId[],
  ): Promise<PreparedWeights[Kind] | undefined> {
    const id = ids.find((id) => this.#weights.get(id)?.kind === kind)
    if (id === undefined) return undefined
    await this.encode(id)
    return (await this.#encoded.get(id)) as PreparedWeights[Kind]
  }

  /** Gives the memory back; encoded again when it is wanted again. */
  async drop(id: WeightsId): Promise<void> {
    const encoded = this.#encoded.get(id)
    this.#encoded.delete(id)
    this.#confirmed.delete(id)
    await encoded?.then(
      (prepared) => prepared[Symbol.dispose](),
      () => undefined,
    )
  }

  async #prepare(weights: Weights, { signal, deferred = false }: EncodingOptions): Encoded {
    const cancel = signal ? { signal } : {}
    if (weights.kind === 'layer')
      return weights.circuit.prepare(this.#engine, { level: weights.level, deferred, ...cancel })
    if (weights.kind === 'masks') return new RefreshMasks(this.#engine, weights.bootstrapping, weights.shape)
    if (weights.kind === 'functional')
      return weights.functional.prepare(this.#engine, { periods: weights.periods, ...cancel })
    return weights.bootstrapping.prepare(this.#engine, { ranges: weights.ranges, ...cancel })
  }
}
