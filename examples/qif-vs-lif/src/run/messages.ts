/** What the parent and a worker process say to each other. */
import type { TrainingProgress } from '@he-ml/snn-training'
import type { Job } from '../cells/grid.ts'
import type { CellResult } from '../cells/record.ts'
import type { DataRequest } from './prepare-data.ts'

/** How a worker finds its data, and how many threads its kernels have: nothing that results depend on. */
export interface WorkerOptions {
  readonly folder: string
  readonly cache: string
  readonly threads: number
}

export type ToWorker =
  | { readonly kind: 'run'; readonly job: Job; readonly request: DataRequest; readonly options: WorkerOptions }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'close' }

/** A run's result and the time it took. */
export interface TimedResult {
  readonly result: CellResult
  readonly seconds: number
}

export type FromWorker =
  | { readonly kind: 'progress'; readonly progress: TrainingProgress }
  | ({ readonly kind: 'done' } & TimedResult)
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
