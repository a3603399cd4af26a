/**
 * A refresh as a circuit: ciphertexts of a short period may be laid side by side by masks, two of the results travel as real
 * and imaginary part of one bootstrap, and masks and traces take them apart again.
 */
import {
  type Bootstrapping,
  type Ciphertext,
  type Encoder,
  type Evaluator,
  type Level,
  type PaceOptions,
  Pacer,
  type Plaintext,
  type PreparedBootstrapping,
  Scope,
  scope,
  toLevel,
} from '@he-ml/ckks-core'
import { bootstrapLoad, type RefreshShape, refreshLevels } from '../program/refresh-shape.ts'

type Engine = Encoder & Evaluator

export interface RefreshOptions {
  /** Named in errors. */
  readonly name: string
  readonly shape: RefreshShape
  /** One of those the circuit was prepared for. */
  readonly range: number
  /** Bootstraps in lock step at most. */
  readonly together: number
}

/** Mask j is 1 in block j, 0 elsewhere; products with it rescale to the nominal scale. Shared by refreshes of one shape. */
export class RefreshMasks implements Disposable {
  readonly before: readonly Plaintext[]
  readonly after: readonly Plaintext[]
  readonly #weights = new Scope()

  /** Encodes them for both sides of a circuit. */
  constructor(engine: Engine, bootstrapping: Bootstrapping, shape: Pick<RefreshShape, 'period' | 'merge'>) {
    try {
      this.before = this.#encode(engine, shape, refreshLevels(bootstrapping, shape.merge).needs)
      this.after = this.#encode(engine, shape, bootstrapping.outputLevel)
    } catch (error) {
      this.#weights.dispose()
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.#weights.dispose()
  }

  #encode(engine: Engine, { period, merge }: Pick<RefreshShape, 'period' | 'merge'>, level: Level): Plaintext[] {
    const { parameters } = engine
    const scale = (parameters.groupProduct(level) * parameters.scaleAt(level - 1)) / parameters.scaleAt(level)
    return Array.from({ length: merge }, (_, j) => {
      const values = new Float64Array(merge * period).fill(1, j * period, (j + 1) * period)
      return this.#weights.use(engine.encode(values, { level, scale }))
    })
  }
}

/** A refresh whose matrices and masks are encoded, both the caller's; usable many times. */
export class PreparedRefresh {
  readonly #circuit: PreparedBootstrapping
  readonly #options: RefreshOptions
  readonly #masks: RefreshMasks | undefined

  /** @param masks for shapes that merge */
  constructor(circuit: PreparedBootstrapping, options: RefreshOptions, masks?: RefreshMasks) {
    this.#circuit = circuit
    this.#options = options
    this.#masks = masks
  }

  /**
   * As many ciphertexts as came in, of the same values, at the higher level. Inputs are only read. Between two bootstraps that
   * are not in lock step it waits for the first, so that their temporaries do not live at the same time.
   *
   * @throws LevelError for inputs too low; MissingKeyError; CancelledError through the signal
   */
  async apply(engine: Engine, inputs: readonly Ciphertext[], pace: PaceOptions = {}): Promise<Ciphertext[]> {
    const { name, shape, together } = this.#options
    const pacer = new Pacer(name, pace)
    const results = new Scope()
    const kept: Ciphertext[] = []
    const group = together * bootstrapLoad(this.#circuit.circuit, shape.merge)
    try {
      for (const some of chunks(inputs, group)) {
        await Promise.all(kept.slice(-group).map((c) => c.ready()))
        await pacer.step()
        for (const fresh of this.#bootstrap(engine, some)) kept.push(results.use(fresh))
      }
      for (const result of kept) results.keep(result)
      return kept
    } finally {
      results.dispose()
    }
  }

  /** Bootstraps in lock step, all but the last of them with a full load. */
  #bootstrap(engine: Engine, inputs: readonly Ciphertext[]): Ciphertext[] {
    const { shape, range } = this.#options
    return scope((use) => {
      const parts = chunks(inputs, shape.merge)
      const carried = parts.map((part) => (shape.merge === 1 ? part[0]! : use(this.#merge(engine, part))))
      const travellers = chunks(carried, bootstrapLoad(this.#circuit.circuit, 1)) as [Ciphertext, Ciphertext?][]
      const fresh = this.#circuit.bootstrapTogether(engine, travellers, { range }).flat()
      for (const one of fresh) use(one)
      const results = fresh.flatMap((one, i) =>
        shape.merge === 1 ? [one] : parts[i]!.map((_, j) => use(this.#extract(engine, one, j))),
      )
      for (const [i, result] of results.entries()) {
        // a bootstrap gives back what it was given
        const known = engine.estimate?.(inputs[i]!)
        if (known) engine.declareMagnitude?.(result, known.magnitude)
      }
      return results
    })
  }

  #merge(engine: Engine, part: readonly Ciphertext[]): Ciphertext {
    const { needs } = refreshLevels(this.#circuit.circuit, this.#options.shape.merge)
    return scope((use) => {
      const masked = part.map((c, j) => use(engine.mulPlain(use(toLevel(engine, c, needs)), this.#masks!.before[j]!)))
      return engine.rescale(use(engine.sum(masked)))
    })
  }

  /** Block j, repeated through all slots. */
  #extract(engine: Engine, merged: Ciphertext, j: number): Ciphertext {
    return scope((use) => {
      const block = use(engine.rescale(use(engine.mulPlain(merged, this.#masks!.after[j]!))))
      return engine.trace(block, this.#options.shape.period)
    })
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
