/** What the memory of a program at work goes by: the bytes of its parts, and where they come from and go to. */
import type { CiphertextStore, KeyStore } from '@he-ml/ckks-core'
import type { Program } from '../program/program.ts'
import type { Task } from '../program/task.ts'
import type { ValueId } from '../program/value.ts'
import type { WeightsId } from '../program/weights.ts'
import type { WeightsTable } from './weights-table.ts'

/** Bytes of a residue in memory. */
export const RESIDUE_BYTES = 8

/** What a thread makes of deferred weights at a time. */
const MADE_BYTES = 2 ** 22 * RESIDUE_BYTES

/** Bytes of the limbs that threads make of deferred weights, while these are used. A limb of all of them is as large as they are. */
export const madeBytes = (deferred: number, threads: number): number => threads * Math.min(deferred, MADE_BYTES)

/** Bytes of what a program uses. */
export interface MemoryFigures {
  /** @param deferred as coefficients: see `EncodeOptions` of ckks-core */
  weightBytes(id: WeightsId, deferred: boolean): number
  /** What a task adds while it runs, its results included. */
  workBytes(task: Task): number
  valueBytes(id: ValueId): number
  /** What is there all the time: keys without a source, scratch, the inputs of one run. */
  readonly fixed: number
  /** Inputs of each further run at work. */
  readonly inputBytes: number
}

export interface TaskMemoryOptions {
  readonly program: Program
  readonly weights: WeightsTable
  readonly figures: MemoryFigures
  /** Where keys come from; without it the engine has them all. */
  readonly keys?: KeyStore
  /** Where values go when memory is short. */
  readonly spill?: CiphertextStore
}
