/**
 * The intermediate form: everything that happens to ciphertexts, as tasks in an order in which they may run. Values are written
 * once, so what may run beside what, when a value dies and what a checkpoint must hold follow from the form alone.
 */
import type { Bootstrapping, FunctionalBootstrapping, Level } from '@he-ml/ckks-core'
import type { SlotLayout } from '@he-ml/packing'
import type { Task } from './task.ts'
import type { Value, ValueId } from './value.ts'
import type { Weights, WeightsId } from './weights.ts'

/** A bootstrapping circuit and the ranges it is used for, ascending. */
export interface ProgramCircuit {
  /** The circuit; it is prepared once for all its ranges. */
  readonly bootstrapping: Bootstrapping
  /** Slots lie in [-range, range] when they are refreshed with one. */
  readonly ranges: readonly number[]
  /** How many bootstraps of a refresh go in lock step at most; absent: one after another. */
  readonly together?: number
}

/** A functional bootstrapping circuit and the periods it is used for, ascending. */
export interface ProgramFunctional {
  /** The circuit; it is prepared once for all its periods. */
  readonly functional: FunctionalBootstrapping
  /** In the unit of the values, which the circuit reads modulo their period. */
  readonly periods: readonly number[]
  /** How many bootstraps of a layer go in lock step at most; absent: one after another. */
  readonly together?: number
}

/** What the caller brings: one value, or one for each tile of a batch, or for each frame in the order of time, all alike. */
export interface ProgramInput {
  /** At least one; in the order of the ciphertexts that the caller brings. */
  readonly values: readonly Value[]
  /** Of each of them. */
  readonly layout: SlotLayout
  /** What a client encrypts at once: the tiles of a batch together, or a frame. */
  readonly whole: SlotLayout
  /** Of a fresh input. */
  readonly level: Level
}

/** What a plan and its model make together: all that happens to ciphertexts. */
export interface Program {
  /** In an order in which they may run: what a task reads was written before. */
  readonly tasks: readonly Task[]
  /** All values, those of the input too, by name. */
  readonly values: ReadonlyMap<ValueId, Value>
  /** What must be encoded, by name. */
  readonly weights: ReadonlyMap<WeightsId, Weights>
  /** Empty without bootstrapping. */
  readonly circuits: readonly ProgramCircuit[]
  /** Of layers that refresh what they compute. */
  readonly functionals: readonly ProgramFunctional[]
  /** What the caller brings. */
  readonly input: ProgramInput
  /** The result; all of its tensor. */
  readonly output: Value
}

/** Names of the values that the caller brings. */
export const inputIds = ({ input }: Pick<Program, 'input'>): ReadonlySet<ValueId> =>
  new Set(input.values.map(({ id }) => id))

/** How many ciphertexts the caller brings, those of all frames together. */
export const inputCiphertexts = ({ values, layout }: ProgramInput): number => values.length * layout.ciphertexts

/** Index of the last task that reads each value; the output is read after all of them. */
export function lastReads({ tasks, output }: Pick<Program, 'tasks' | 'output'>): ReadonlyMap<ValueId, number> {
  const last = new Map<ValueId, number>()
  for (const [index, { reads }] of tasks.entries()) for (const id of reads.flat()) last.set(id, index)
  return last.set(output.id, tasks.length)
}

/** First and last task that uses each of the weights. */
export function weightUses({ tasks }: Pick<Program, 'tasks'>): ReadonlyMap<WeightsId, { first: number; last: number }> {
  const uses = new Map<WeightsId, { first: number; last: number }>()
  for (const [index, { weights }] of tasks.entries())
    for (const id of weights) uses.set(id, { first: uses.get(id)?.first ?? index, last: index })
  return uses
}
