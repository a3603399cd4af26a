/** Steps of a schedule made ready on an engine: weights and masks per step, bootstrapping circuits shared by many. */
import type { Encoder, Evaluator, PreparedBootstrapping } from '@he-ml/ckks-core'
import { type PaceOptions, PackedTensor, type PreparedLayer } from '@he-ml/packing'
import {
  isRefresh,
  type Schedule,
  type ScheduledNode,
  type ScheduledRefresh,
  type ScheduledStep,
} from '../compile/schedule.ts'
import { prepareRefresh } from '../refresh/prepare-refresh.ts'

type Engine = Encoder & Evaluator

/** A step that is ready to run, any number of times. */
export interface PreparedStep extends Disposable {
  /**
   * One tensor for a layer; for a refresh, one for each of its values. Inputs are not disposed of.
   * @throws CancelledError and whatever the engine throws
   */
  apply(engine: Engine, inputs: readonly PackedTensor[], pace?: PaceOptions): Promise<readonly PackedTensor[]>
}

/** Prepares steps on one engine. */
export class StepPreparer {
  readonly #schedule: Schedule
  readonly #engine: Engine
  readonly #circuits = new Map<number, Promise<PreparedBootstrapping>>()

  constructor(schedule: Schedule, engine: Engine) {
    this.#schedule = schedule
    this.#engine = engine
  }

  async prepare(step: ScheduledStep, signal?: AbortSignal): Promise<PreparedStep> {
    return isRefresh(step) ? this.#refresh(step, signal) : this.#layer(step, signal)
  }

  /** Gives a circuit's matrices back; it is encoded again when it is needed. */
  async dropCircuit(index: number): Promise<void> {
    const circuit = this.#circuits.get(index)
    this.#circuits.delete(index)
    await circuit?.then(
      (c) => c.dispose(),
      () => undefined,
    )
  }

  /** Circuits that are encoded, or being encoded. */
  get circuits(): readonly number[] {
    return [...this.#circuits.keys()]
  }

  async #layer(node: ScheduledNode, signal?: AbortSignal): Promise<PreparedStep> {
    const layer: PreparedLayer = await node.lowered.prepare(this.#engine, {
      level: node.level,
      ...(signal ? { signal } : {}),
    })
    return {
      apply: (engine, inputs, pace) => layer.apply(engine, inputs, pace),
      [Symbol.dispose]: () => layer.dispose(),
    }
  }

  async #refresh(step: ScheduledRefresh, signal?: AbortSignal): Promise<PreparedStep> {
    const refresh = prepareRefresh(this.#engine, await this.#circuit(step.circuit, signal), step)
    return {
      async apply(engine, inputs, pace) {
        const fresh = await refresh.apply(
          engine,
          inputs.flatMap((tensor) => tensor.ciphertexts),
          pace,
        )
        let taken = 0
        return inputs.map(({ layout, ciphertexts }) => {
          taken += ciphertexts.length
          return new PackedTensor(layout, fresh.slice(taken - ciphertexts.length, taken))
        })
      },
      [Symbol.dispose]: () => refresh.dispose(),
    }
  }

  #circuit(index: number, signal?: AbortSignal): Promise<PreparedBootstrapping> {
    const known = this.#circuits.get(index)
    if (known) return known
    const { bootstrapping, ranges } = this.#schedule.circuits[index]!
    const made = bootstrapping.prepare(this.#engine, { ranges, ...(signal ? { signal } : {}) })
    this.#circuits.set(index, made)
    made.catch(() => this.#circuits.delete(index))
    return made
  }
}
