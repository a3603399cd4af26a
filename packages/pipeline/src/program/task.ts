/** A piece of work: values in, values out, at one level. */
import type { KeyNeed, Level } from '@he-ml/ckks-core'
import type { LoweredLayer } from '@he-ml/packing'
import type { RefreshShape } from './refresh-shape.ts'
import type { Operand, ValueId } from './value.ts'
import type { WeightsId } from './weights.ts'

/** Names a task in its program, as in reports, progress and errors. */
export type TaskId = string

interface AnyTask {
  /** Unique in the program; appears in reports, progress and errors. */
  readonly id: TaskId
  /** A layer's kind, or 'refresh'. */
  readonly kind: string
  /** One operand for each tensor that the circuit takes. */
  readonly reads: readonly Operand[]
  /** Values that did not exist before. */
  readonly writes: readonly ValueId[]
  /** Level to which everything that is read is brought first. */
  readonly level: Level
  /** What must be encoded. */
  readonly weights: readonly WeightsId[]
  /** Which tile of the batch; absent where there is one. */
  readonly tile?: number
  /** Keys that the circuit uses, each at the level of its use; empty until a simulation has told. */
  readonly keys: readonly KeyNeed[]
}

/**
 * A layer at work: the whole of it, a tile (its circuit writes a part of the result), a merge or a split of sub-batches, or
 * one time step. Tasks of one layer share its weights.
 */
export interface LayerTask extends AnyTask {
  /** Node of the model. */
  readonly layer: string
  /** What is done: the layer, bound to the layouts of what it reads. */
  readonly circuit: LoweredLayer
  /** Brings tiles of a batch together, and is no layer of the model. */
  readonly isMerge?: true
  /** Of one that refreshes: how many functional bootstraps go in lock step at most; absent: one after another. */
  readonly together?: number
}

/** A bootstrap of one or more values: each operand comes back as a new value. */
export interface RefreshTask extends AnyTask {
  readonly kind: 'refresh'
  /** Which circuit, and how the values travel through it. */
  readonly refresh: RefreshUse
}

/** How values travel through a bootstrapping circuit. */
export interface RefreshUse {
  /** Index into `Program.circuits`. */
  readonly circuit: number
  /** One of those that the circuit is prepared for. */
  readonly range: number
  /** How many ciphertexts, and how they are laid side by side. */
  readonly shape: RefreshShape
  /** How many bootstraps go in lock step at most. */
  readonly together: number
}

/** Kind of the tasks that bring tiles of a batch together. */
export const MERGE = 'merge'

/** A layer's work, or a bootstrap; {@link isRefresh} tells which. */
export type Task = LayerTask | RefreshTask

/**
 * Whether a task is a bootstrap.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compileAndBind, isRefresh } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const { program } = await compileAndBind(model)
 * assert.equal(program.tasks.filter(isRefresh).length, 0) // one layer needs none
 * ```
 */
export const isRefresh = (task: Task): task is RefreshTask => 'refresh' in task
