import type { KeyNeed, KeyRequest } from '../../port/keys.ts'
import type { OperationKind } from './cost-model.ts'
import type { OperationRecord } from './operation-log.ts'

/** Live and peak bytes of one kind of object. */
export interface PlannedBytes {
  readonly live: number
  readonly peak: number
}

/** What a computation needs, as plain JSON. */
export interface PlanReport {
  readonly parametersId: string
  readonly operations: readonly OperationRecord[]
  /** Counts by kind, all levels together. */
  readonly totals: Partial<Record<OperationKind, number>>
  /** Estimated time by the cost model. */
  readonly seconds: number
  readonly threads: number
  readonly costModel: string
  /** Keys of the whole computation so far, each at the highest level of its uses. */
  readonly keyRequest: KeyRequest
  /** Those used since the checkpoint (or ever), each at the highest level of these uses. */
  readonly keysUsed: readonly KeyNeed[]
  /** All keys expanded in memory. */
  readonly keyBytes: number
  /** All keys on disk, uniform halves as seeds. */
  readonly keyFileBytes: number
  /** `risen`: the most since the latest checkpoint, above what lived then. */
  readonly ciphertextBytes: PlannedBytes & { readonly risen: number }
  readonly plaintextBytes: PlannedBytes
  /** Working memory of the largest key switch or linear transform. */
  readonly scratchBytes: number
  /** Ciphertexts, plaintexts, keys and scratch at their worst. */
  readonly peakBytes: number
}
