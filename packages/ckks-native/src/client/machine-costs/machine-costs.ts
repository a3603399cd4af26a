/** What operations cost on a machine, relative to the default cost model; a file that plans are made with. */
import {
  type CostModel,
  createDefaultCostModel,
  FormatError,
  OPERATION_KINDS,
  type OperationKind,
  scaleCostModel,
} from '@he-ml/ckks-core'
import { z } from 'zod'

/** Measured factors, as stored by `he-ml bench --out`. */
export interface MachineCosts {
  /** Marks its files. */
  readonly format: 'he-ml/machine'
  /** Of the format. */
  readonly version: 1
  /** Kernel that was measured: 'avx512ifma', 'avx2' or 'scalar'. */
  readonly kernel: string
  /** Threads that were measured with. */
  readonly threads: number
  /** Ring of the measurement; absent: 15. */
  readonly logN?: 15 | 16
  /** By kind of operation: seconds here over seconds of the default cost model. Absent: 1. */
  readonly factors: Partial<Record<OperationKind, number>>
}

/** The cost model that measured factors stand for. */
export function machineCostModel(costs: MachineCosts): CostModel {
  const base = createDefaultCostModel({ threads: costs.threads })
  return scaleCostModel(base, costs.factors, { name: `${costs.kernel}, ${costs.threads} threads, measured` })
}

const schema = z.strictObject({
  format: z.literal('he-ml/machine'),
  version: z.literal(1),
  kernel: z.string().max(64),
  threads: z.number().int().min(1).max(4096),
  logN: z.union([z.literal(15), z.literal(16)]).optional(),
  factors: z.partialRecord(z.enum(OPERATION_KINDS), z.number().positive().max(1e6)),
})

/** Reads what `he-ml bench --out` wrote. @throws FormatError naming the field */
export function parseMachineCosts(text: string): MachineCosts {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new FormatError(`machine costs: not JSON: ${(error as Error).message}`)
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data as MachineCosts
  const issue = result.error.issues[0]!
  throw new FormatError(`machine costs: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
}
