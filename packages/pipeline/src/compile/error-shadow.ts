/**
 * Errors that differ from copy to copy. A ciphertext of period n holds N/2n copies of its slots. What rounding and key
 * switching add is independent in each of them, and wherever the copies are averaged (decryption reads the period only; the
 * trace of a bootstrap does the same) it shrinks by the root of their number. What went through a bootstrap, and what its sine
 * bends, is the same in all copies and stays. The plan engine knows one number per ciphertext, so the schedule runs on a second
 * one, whose bootstraps take in neither errors nor values: its estimates are the independent part, the rest adds up by squares.
 */
import {
  type AnyParameters,
  type Ciphertext,
  type CostModel,
  createPlanEngine,
  type PlanEngine,
  toLevel,
} from '@he-ml/ckks-core'
import { PackedTensor } from '@he-ml/packing'
import type { ValueSize } from '../fit/fit.ts'
import { StepPreparer } from '../run/step-preparer.ts'
import { ValueTable } from '../run/value-table.ts'
import { isRefresh, type Schedule, type ScheduledRefresh, type ScheduledStep } from './schedule.ts'

/** A schedule on its way through a plan engine. */
export class Simulation {
  readonly engine: PlanEngine
  readonly values: ValueTable
  readonly #preparer: StepPreparer
  readonly #sizes: ReadonlyMap<string, ValueSize>

  /** @param sizes how large values are, where that is known */
  constructor(made: Schedule, parameters: AnyParameters, costModel: CostModel, sizes: ReadonlyMap<string, ValueSize>) {
    const { inputLayout, inputLevel: level } = made
    this.engine = createPlanEngine(parameters, { costModel })
    this.#preparer = new StepPreparer(made, this.engine)
    this.#sizes = sizes
    const magnitude = sizes.get(made.input)?.rms ?? 1
    const inputs = Array.from({ length: inputLayout.ciphertexts }, () =>
      this.engine.input({ level, slots: inputLayout.slots, magnitude }),
    )
    this.values = new ValueTable(made, 0, new PackedTensor(inputLayout, inputs))
  }

  /** Runs a step; tells what preparing and running it took. */
  async step(step: ScheduledStep) {
    const { engine, values } = this
    const beforeEncoding = engine.checkpoint()
    const prepared = await this.#preparer.prepare(step)
    const encoding = engine.report({ since: beforeEncoding })
    const before = engine.checkpoint()
    const aligned = values.read(step).map((tensor) => this.#align(tensor, step.level))
    const outputs = await prepared.apply(
      engine,
      aligned.map((a) => a.tensor),
    )
    for (const a of aligned) if (a.temporary) a.tensor.dispose()
    const running = engine.report({ since: before })
    const size = this.#sizes.get(step.name)
    if (size && !isRefresh(step)) for (const c of outputs[0]!.ciphertexts) engine.declareMagnitude(c, size.rms)
    values.write(step, outputs)
    return { encoding, running, ciphertexts: outputs.flatMap((tensor) => tensor.ciphertexts) }
  }

  #align(tensor: PackedTensor, level: number) {
    if (tensor.level === level) return { tensor, temporary: false }
    const lowered = tensor.ciphertexts.map((c) => toLevel(this.engine, c, level))
    return { tensor: new PackedTensor(tensor.layout, lowered), temporary: true }
  }
}

/** Root mean square of the real part of a point in the unit disc over the sixth root of its mean sixth power. */
const DISC_SHAPE = 0.5 / (5 / 64) ** (1 / 6)

/** The second run. */
export class ErrorShadow {
  readonly #main: Simulation
  readonly #shadow: Simulation
  readonly #made: Schedule
  readonly #sizes: ReadonlyMap<string, ValueSize>

  constructor(made: Schedule, main: Simulation, shadow: Simulation, sizes: ReadonlyMap<string, ValueSize>) {
    this.#made = made
    this.#main = main
    this.#shadow = shadow
    this.#sizes = sizes
  }

  /** Runs a step on both; gives what it took, and the errors of its results as decryption would find them. */
  async step(step: ScheduledStep) {
    const magnitudes = isRefresh(step) ? this.#beforeRefresh(step) : []
    const taken = await this.#main.step(step)
    const { ciphertexts: shadows } = await this.#shadow.step(step)
    for (const [i, magnitude] of magnitudes.entries()) {
      this.#main.engine.declareMagnitude(taken.ciphertexts[i]!, magnitude)
      this.#shadow.engine.declareMagnitude(shadows[i]!, magnitude)
    }
    const errors = taken.ciphertexts.map((c, i) => this.#averaged(c, shadows[i]!, c.slots))
    return { ...taken, errors }
  }

  /**
   * Lets the bootstrap take in what its trace leaves of the errors, and values of the size that bends like theirs.
   * @returns the magnitudes that the results have
   */
  #beforeRefresh(step: ScheduledRefresh): number[] {
    const { engine } = this.#main
    const { slots } = this.#made.circuits[step.circuit]!.bootstrapping.spec
    const shadows = this.#shadow.values.read(step)
    return this.#main.values.read(step).flatMap(({ ciphertexts }, v) => {
      const size = this.#sizes.get(step.values[v]!)
      return ciphertexts.map((c, i) => {
        const shadow = shadows[v]!.ciphertexts[i]!
        const { magnitude } = engine.estimate(c)
        engine.declareError(c, this.#averaged(c, shadow, slots))
        if (size) engine.declareMagnitude(c, size.sixth * DISC_SHAPE)
        this.#shadow.engine.declareError(shadow, 0)
        this.#shadow.engine.declareMagnitude(shadow, 0)
        return magnitude
      })
    })
  }

  /** The error when all copies of `slots` slots are averaged. */
  #averaged(main: Ciphertext, shadow: Ciphertext, slots: number): number {
    const all = this.#main.engine.estimate(main).error
    const independent = Math.min(all, this.#shadow.engine.estimate(shadow).error)
    const copies = this.#main.engine.parameters.maxSlots / slots
    return Math.sqrt(all ** 2 - independent ** 2 + independent ** 2 / copies)
  }
}
