import {
  type Ciphertext,
  type CiphertextStore,
  checkOptions,
  type KeyStore,
  type OptionChecks,
  optionCheck,
} from '@he-ml/ckks-core'
import type { CheckpointStore } from './checkpoint.ts'
import type { TaskTrace } from './task-trace.ts'

/** Where a run is. */
export interface RunProgress {
  /** Estimated share of the whole work that is done, 0 to 1. */
  readonly fraction: number
  /** Layer or bootstrap being worked on, or the last one. */
  readonly layer: string
  /** Index of that task in the plan's order, from 0. */
  readonly layerIndex: number
  /** Tasks of the plan. */
  readonly layerCount: number
  /** Layers and bootstraps whose results came from a checkpoint. */
  readonly resumed: number
  /** Since the run began. */
  readonly elapsedSeconds: number
  /** Estimate from the work done so far; undefined at the very beginning. */
  readonly remainingSeconds?: number
}

/** The ciphertexts of a run, or how to have them. */
export type RunInputs = readonly Ciphertext[] | (() => Promise<readonly Ciphertext[]>)

/** Options of one run. */
export interface RunOptions {
  /** Called at every layer, and by the clock between them. What it throws stops the run, which fails with just that. */
  readonly onProgress?: (progress: RunProgress) => void
  /** Called at the end of every task. What it throws stops the run, too. */
  readonly onTask?: (trace: TaskTrace) => void
  /** Stops the run, which fails with CancelledError. */
  readonly signal?: AbortSignal
  /**
   * Bytes that the engine may hold. Weights and keys are dropped and had again, ciphertexts spilled, to stay below, as far as the
   * runner has stores for them; refused before the start when it has none and the plan's estimate is above.
   */
  readonly memory?: number
  /**
   * Keep encoded weights for further inputs, or drop them after their last use. Default: as the plan says; dropped, too, where
   * keeping them does not fit `memory`.
   */
  readonly keepWeights?: boolean
  /** Results of tasks are stored here as they appear, and taken from here when the run is started again. */
  readonly checkpoints?: CheckpointStore
}

const OPTIONS: OptionChecks<RunOptions> = {
  onProgress: optionCheck.callable,
  onTask: optionCheck.callable,
  signal: optionCheck.signal,
  memory: optionCheck.number(0),
  keepWeights: optionCheck.boolean,
  checkpoints: optionCheck.object,
}

/** @throws InvalidArgumentError for options that there are not, or of another kind */
export const checkRunOptions = (options: RunOptions): void => checkOptions('run', options, OPTIONS)

/** What a runner may use beside its engine, for all its runs. */
export interface RunnerStores {
  /** The engine's keys, loaded task by task; without it all keys of the plan must be in the engine. */
  readonly keys?: KeyStore
  /** Where ciphertexts go when memory is short. */
  readonly spill?: CiphertextStore
}
