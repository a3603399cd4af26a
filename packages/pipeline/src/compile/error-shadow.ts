/**
 * Errors that differ from copy to copy. A ciphertext of period n holds N/2n copies of its slots. What rounding and key
 * switching add is independent in each of them, and wherever the copies are averaged (decryption reads the period only; the
 * trace of a bootstrap does the same) it shrinks by the root of their number. What went through a bootstrap, and what its sine
 * bends, is the same in all copies and stays. The plan engine knows one number per ciphertext, so the schedule runs on a second
 * one, whose bootstraps take in neither errors nor values: its estimates are the independent part, the rest adds up by squares.
 */
import { bootstrapBend, type Ciphertext } from '@he-ml/ckks-core'
import type { ValueSize } from '../fit/fit.ts'
import type { ErrorField } from './error-field.ts'
import { isRefresh, type Schedule, type ScheduledRefresh, type ScheduledStep } from './schedule.ts'
import type { Simulation } from './simulation.ts'

/** Root mean square of the real part of a point in the unit disc over the sixth root of its mean sixth power. */
const DISC_SHAPE = 0.5 / (5 / 64) ** (1 / 6)

/** The second run. */
export class ErrorShadow {
  readonly #main: Simulation
  readonly #shadow: Simulation
  readonly #made: Schedule
  readonly #sizes: ReadonlyMap<string, ValueSize>
  readonly #field: ErrorField | undefined

  /** @param field of the model that the schedule is for; without it errors of elements count as independent */
  constructor(
    made: Schedule,
    { main, shadow }: { readonly main: Simulation; readonly shadow: Simulation },
    sizes: ReadonlyMap<string, ValueSize>,
    field?: ErrorField,
  ) {
    this.#made = made
    this.#main = main
    this.#shadow = shadow
    this.#sizes = sizes
    this.#field = field
  }

  /** Runs a step on both; gives what it took, and the errors of its results as decryption would find them. */
  async step(step: ScheduledStep) {
    const magnitudes = isRefresh(step) ? this.#beforeRefresh(step) : []
    const before = this.#errorsOf(step)
    const gain = isRefresh(step) ? undefined : this.#field?.propagate(step.name)
    const taken = await this.#main.step(step, gain)
    const { ciphertexts: shadows } = await this.#shadow.step(step, gain)
    for (const [i, magnitude] of magnitudes.entries()) {
      this.#main.engine.declareMagnitude(taken.ciphertexts[i]!, magnitude)
      this.#shadow.engine.declareMagnitude(shadows[i]!, magnitude)
    }
    if (isRefresh(step)) this.#shareCopies(step, shadows)
    const errors = taken.ciphertexts.map((c, i) => this.#averaged(c, shadows[i]!, c.slots))
    if (gain !== undefined) {
      const kept = (gain * Math.hypot(...before)) / Math.sqrt(before.length)
      this.#field!.disturb(step.name, { kept, total: this.#rms(taken.ciphertexts) })
    } else if (isRefresh(step)) {
      const after = this.#errorsOf(step)
      const bend = bootstrapBend(this.#made.circuits[step.circuit]!.bootstrapping.spec, step.range)
      for (const [v, name] of step.values.entries())
        this.#field?.disturb(name, { kept: before[v]!, total: after[v]!, bend })
    }
    return { ...taken, errors }
  }

  /** Root mean square errors of what a step reads, or of what a refresh has written. */
  #errorsOf(step: ScheduledStep): number[] {
    return this.#main.values.read(step).map(({ ciphertexts }) => this.#rms(ciphertexts))
  }

  #rms(ciphertexts: readonly Ciphertext[]): number {
    const squares = ciphertexts.reduce((sum, c) => sum + this.#main.engine.estimate(c).error ** 2, 0)
    return Math.sqrt(squares / ciphertexts.length)
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

  /**
   * Of what a bootstrap of merged ciphertexts adds, the copies of one value that are split off again share all that the merged
   * vector has one of: only N / 2n copies of the circuit's n slots differ, however short the value's own period is.
   */
  #shareCopies(step: ScheduledRefresh, shadows: readonly Ciphertext[]): void {
    const { engine } = this.#shadow
    const { maxSlots } = engine.parameters
    const differing = 1 - this.#made.circuits[step.circuit]!.bootstrapping.spec.slots / maxSlots
    for (const shadow of shadows) {
      const counted = 1 - shadow.slots / maxSlots
      if (counted > 0) engine.declareError(shadow, engine.estimate(shadow).error * Math.sqrt(differing / counted))
    }
  }

  /** The error when all copies of `slots` slots are averaged. */
  #averaged(main: Ciphertext, shadow: Ciphertext, slots: number): number {
    const all = this.#main.engine.estimate(main).error
    const independent = Math.min(all, this.#shadow.engine.estimate(shadow).error)
    const copies = this.#main.engine.parameters.maxSlots / slots
    return Math.sqrt(all ** 2 - independent ** 2 + independent ** 2 / copies)
  }
}
