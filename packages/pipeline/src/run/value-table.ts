import type { PackedTensor } from '@he-ml/packing'
import { isRefresh, type Schedule, type ScheduledStep } from '../compile/schedule.ts'

/** The living values of a run. A value is disposed of after its last reader; the caller's input never is. */
export class ValueTable {
  readonly #values = new Map<string, PackedTensor>()
  readonly #readers = new Map<string, number>()
  readonly #input: string

  /** @param first the step that runs next */
  constructor(schedule: Schedule, first: number, input: PackedTensor) {
    this.#input = schedule.input
    this.#values.set(schedule.input, input)
    this.#readers.set(schedule.output, 1)
    for (const step of schedule.steps.slice(first))
      if (!isRefresh(step)) for (const name of step.inputs) this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1)
  }

  get input(): PackedTensor {
    return this.#values.get(this.#input)!
  }

  /** What a step works on: a layer's inputs, or the values to refresh. */
  read(step: ScheduledStep): PackedTensor[] {
    return namesOf(step).map((name) => this.#values.get(name)!)
  }

  /** A step's results; they replace what they refresh, and what was read for the last time goes. */
  write(step: ScheduledStep, results: readonly PackedTensor[]): void {
    if (isRefresh(step)) {
      for (const [i, name] of step.values.entries()) this.put(name, results[i]!)
      return
    }
    this.put(step.name, results[0]!)
    for (const name of step.inputs) {
      const left = this.#readers.get(name)! - 1
      this.#readers.set(name, left)
      if (left === 0) this.#drop(name)
    }
  }

  put(name: string, value: PackedTensor): void {
    this.#drop(name)
    this.#values.set(name, value)
  }

  /** Takes a value out; it is the caller's from now on. */
  take(name: string): PackedTensor {
    const value = this.#values.get(name)!
    this.#values.delete(name)
    return value
  }

  /** All values but the input. */
  *computed(): Iterable<readonly [string, PackedTensor]> {
    for (const entry of this.#values) if (entry[0] !== this.#input) yield entry
  }

  /** Disposes of everything but the input. */
  dispose(): void {
    for (const [name] of this.computed()) this.#drop(name)
  }

  #drop(name: string): void {
    if (name === this.#input) return
    this.#values.get(name)?.dispose()
    this.#values.delete(name)
  }
}

const namesOf = (step: ScheduledStep): readonly string[] => (isRefresh(step) ? step.values : step.inputs)
