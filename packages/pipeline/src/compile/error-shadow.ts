/**
 * Errors that differ from copy to copy. A ciphertext of period n holds N/2n copies of its slots. What rescaling and key
 * switching add is independent in each of them, and wherever the copies are averaged (decryption reads the period only; the
 * trace of a bootstrap does the same) it shrinks by the root of their number. What went through a bootstrap, what its sine or a function bends, and
 * what rounded weights and masks bring, is the same in all copies and stays. The plan engine knows one number per ciphertext, so the program runs on a second
 * one, whose bootstraps take in neither errors nor values, and whose plaintexts are exact: its estimates are the independent part, the rest adds up by squares.
 */
import { bootstrapBend, type Ciphertext, type PlanEngine } from '@he-ml/ckks-core'
import type { Program } from '../program/program.ts'
import { isRefresh, type LayerTask, type RefreshTask, type Task } from '../program/task.ts'
import type { ValueId } from '../program/value.ts'
import type { ValueSize } from '../ready/calibration.ts'
import type { ErrorField } from './error-field.ts'
import type { Simulation } from './simulation.ts'

/** Root mean square of the real part of a point in the unit disc over the sixth root of its mean sixth power. */
const DISC_SHAPE = 0.5 / (5 / 64) ** (1 / 6)

/** The second run. */
export class ErrorShadow {
  readonly #main: Simulation
  readonly #shadow: Simulation
  readonly #program: Program
  readonly #sizes: ReadonlyMap<string, ValueSize>
  readonly #field: ErrorField | undefined
  /** By which errors arrive at the results of layers, as far as they are known. */
  readonly #gains = new Map<string, readonly number[]>()

  /** @param field of the model that the program is for; without it errors of elements count as independent */
  constructor(
    program: Program,
    { main, shadow }: { readonly main: Simulation; readonly shadow: Simulation },
    sizes: ReadonlyMap<string, ValueSize>,
    field?: ErrorField,
  ) {
    this.#program = program
    this.#main = main
    this.#shadow = shadow
    this.#sizes = sizes
    this.#field = field
  }

  /** Runs a step on both; gives what it took, and the errors of its results as decryption would find them. */
  async step(task: Task) {
    const magnitudes = isRefresh(task) ? this.#beforeRefresh(task) : []
    const before = this.#errorsOf(task.reads.flat())
    const gains = isRefresh(task) ? undefined : this.#gainsOf(task)
    const restore = isRefresh(task) ? undefined : this.#beforeFunctions(task)
    const taken = await this.#main.step(task, gains)
    const { ciphertexts: shadows } = await this.#shadow.step(task, gains)
    restore?.()
    for (const [i, magnitude] of magnitudes.entries()) {
      this.#main.engine.declareMagnitude(taken.ciphertexts[i]!, magnitude)
      this.#shadow.engine.declareMagnitude(shadows[i]!, magnitude)
    }
    if (isRefresh(task)) this.#shareCopies(task, shadows)
    const errors = taken.ciphertexts.map((c, i) => this.#averaged(c, shadows[i]!, c.slots))
    this.#disturb(task, before, gains)
    for (const { values } of [this.#main, this.#shadow]) values.dropUnread(task)
    return { ...taken, errors }
  }

  /** Of a layer that the model has; all tiles of a batch are like the first. */
  #gainsOf({ isMerge, layer, circuit, tile = 0 }: LayerTask): readonly number[] | undefined {
    if (!this.#field || isMerge || circuit.refresh) return undefined
    const known = tile === 0 ? this.#field.propagate(layer) : this.#gains.get(layer)!
    this.#gains.set(layer, known)
    return known
  }

  /** Tells the field what a task added to the errors of its results. */
  #disturb(task: Task, before: readonly number[], gains: readonly number[] | undefined): void {
    if (task.tile) return
    if (!isRefresh(task) && task.isMerge) {
      const kept = Math.hypot(...before) / Math.sqrt(before.length)
      this.#field?.disturb(this.#tensorOf(task.writes[0]!), { kept, total: this.#errorsOf(task.writes)[0]! })
    } else if (!isRefresh(task) && task.circuit.refresh) {
      for (const [i, total] of this.#errorsOf(task.writes).entries())
        this.#field?.renew(this.#tensorOf(task.writes[i]!), total)
    } else if (!isRefresh(task) && gains !== undefined) {
      const after = this.#errorsOf(task.writes)
      for (const [i, id] of task.writes.entries()) {
        const kept = (gains[i]! * Math.hypot(...before)) / Math.sqrt(before.length)
        this.#field!.disturb(this.#tensorOf(id), { kept, total: after[i]! })
      }
    } else if (isRefresh(task)) {
      const after = this.#errorsOf(task.writes)
      const { circuit, range } = task.refresh
      const bend = bootstrapBend(this.#program.circuits[circuit]!.bootstrapping.spec, range)
      for (const [v, id] of task.writes.entries())
        this.#field?.disturb(this.#tensorOf(id), { kept: before[v]!, total: after[v]!, bend })
    }
  }

  #tensorOf(id: ValueId): string {
    return this.#program.values.get(id)!.tensor
  }

  /** Root mean square errors of values. */
  #errorsOf(ids: readonly ValueId[]): number[] {
    return ids.map((id) => this.#rms(this.#main.values.get(id)!))
  }

  #rms(ciphertexts: readonly Ciphertext[]): number {
    const squares = ciphertexts.reduce((sum, c) => sum + this.#main.engine.estimate(c).error ** 2, 0)
    return Math.sqrt(squares / ciphertexts.length)
  }

  /**
   * Lets the bootstrap take in what its trace leaves of the errors, and values of the size that bends like theirs.
   * @returns the magnitudes that the results have
   */
  #beforeRefresh(task: RefreshTask): number[] {
    const { engine } = this.#main
    const { slots } = this.#program.circuits[task.refresh.circuit]!.bootstrapping.spec
    return task.reads.flat().flatMap((id) => {
      const size = this.#sizes.get(this.#tensorOf(id))
      const shadows = this.#shadow.values.get(id)!
      return this.#main.values.get(id)!.map((c, i) => {
        const shadow = shadows[i]!
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
   * The trace of a refresh within a layer takes errors of copies for independent, and divides them by the root of their number. Those that
   * all copies share are as large afterwards, so they are made larger by that; and afterwards all copies share what is left.
   * @returns what puts the errors back, for others read the same values
   */
  #beforeFunctions({ circuit: { refresh }, reads }: LayerTask): (() => void) | undefined {
    if (!refresh) return undefined
    const copies = this.#main.engine.parameters.maxSlots / refresh.slots
    const changes = reads.flat().flatMap((id) => {
      const shadows = this.#shadow.values.get(id)!
      return this.#main.values.get(id)!.flatMap((c, i) => {
        const traced = this.#averaged(c, shadows[i]!, refresh.slots)
        return [
          declared(this.#main.engine, c, Math.sqrt(copies) * traced),
          declared(this.#shadow.engine, shadows[i]!, 0),
        ]
      })
    })
    return () => {
      for (const restore of changes) restore()
    }
  }

  /**
   * Of what a bootstrap of merged ciphertexts adds, the copies of one value that are split off again share all that the merged
   * vector has one of: only N / 2n copies of the circuit's n slots differ, however short the value's own period is.
   */
  #shareCopies(task: RefreshTask, shadows: readonly Ciphertext[]): void {
    const { engine } = this.#shadow
    const { maxSlots } = engine.parameters
    const differing = 1 - this.#program.circuits[task.refresh.circuit]!.bootstrapping.spec.slots / maxSlots
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

/** Declares an error; gives what declares the one from before. */
function declared(engine: PlanEngine, c: Ciphertext, error: number): () => void {
  const { error: before } = engine.estimate(c)
  engine.declareError(c, error)
  return () => engine.declareError(c, before)
}
