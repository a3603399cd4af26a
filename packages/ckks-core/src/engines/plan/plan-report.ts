import type { KeyNeed, KeyRequest } from '../../port/keys.ts'
import type { OperationKind } from './cost-model.ts'
import type { OperationRecord } from './operation-log.ts'

/** Live and peak bytes of one kind of object. */
export interface PlannedBytes {
  /** Bytes that live now. */
  readonly live: number
  /** The most that lived at once. */
  readonly peak: number
}

/** What a computation needs, as plain JSON. */
export interface PlanReport {
  /** `Parameters.id` of the engine's parameters. */
  readonly parametersId: string
  /** One entry for each kind at each level. */
  readonly operations: readonly OperationRecord[]
  /** Counts by kind, all levels together. */
  readonly totals: Partial<Record<OperationKind, number>>
  /** Estimated time by the cost model. */
  readonly seconds: number
  /** Threads that the cost model is made for. */
  readonly threads: number
  /** Name of the cost model. */
  readonly costModel: string
  /** Keys of the whole computation so far, each at the highest level of its uses. */
  readonly keyRequest: KeyRequest
  /** Those used since the checkpoint (or ever), each at the highest level of these uses. */
  readonly keysUsed: readonly KeyNeed[]
  /** All keys expanded in memory. */
  readonly keyBytes: number
  /** All keys on disk, uniform halves as seeds. */
  readonly keyFileBytes: number
  /** Ciphertexts. */
  readonly ciphertextBytes: PlannedBytes & {
    /** The most since the latest checkpoint, above what lived then. */
    readonly risen: number
  }
  /** Encoded plaintexts. */
  readonly plaintextBytes: PlannedBytes
  /** Working memory of the largest key switch or linear transform. */
  readonly scratchBytes: number
  /** Ciphertexts, plaintexts, keys and scratch at their worst. */
  readonly peakBytes: number
}
