import type { AnyParameters } from '../../parameters/parameters.ts'
import { type CostModel, OPERATION_KINDS, type OperationKind, operationSize } from './cost-model.ts'

/** How often an operation runs at a level, and how long that takes. */
export interface OperationRecord {
  /** Which operation. */
  readonly kind: OperationKind
  /** Level of its operand; of modRaise, the level it raises to. */
  readonly level: number
  /** Ciphertext limbs at that level. */
  readonly limbs: number
  /** How often it runs. */
  readonly count: number
  /** Estimated time of all of them together, in seconds. */
  readonly seconds: number
}

/** What was counted until then; see `PlanEngine.report`. */
export interface OperationSnapshot {
  /** Operations of each kind at each level. */
  readonly counts: Float64Array
  /** The same, each weighed by how much it works on. */
  readonly weights: Float64Array
}

/** Counts by kind and level in flat arrays: recording is two additions, whatever the size of the network. */
export class OperationLog {
  readonly #parameters: AnyParameters
  readonly #cost: CostModel
  readonly #levels: number
  readonly #counts: Float64Array
  /** In units of one degree-1 operation on a whole vector: a degree-2 operand weighs 1.5. */
  readonly #weights: Float64Array

  constructor(parameters: AnyParameters, cost: CostModel) {
    this.#parameters = parameters
    this.#cost = cost
    this.#levels = parameters.maxLevel + 1
    this.#counts = new Float64Array(OPERATION_KINDS.length * this.#levels)
    this.#weights = new Float64Array(OPERATION_KINDS.length * this.#levels)
  }

  record(kind: OperationKind, level: number, count: number, weight: number): void {
    const i = KIND_INDEX[kind] * this.#levels + level
    this.#counts[i]! += count
    this.#weights[i]! += count * weight
  }

  /** A copy of the state, for differences. */
  snapshot(): OperationSnapshot {
    return { counts: this.#counts.slice(), weights: this.#weights.slice() }
  }

  /** Everything recorded (since a snapshot), by kind and then from the highest level down. */
  records(since?: OperationSnapshot): OperationRecord[] {
    const records: OperationRecord[] = []
    for (const kind of OPERATION_KINDS) {
      for (let level = this.#levels - 1; level >= 0; level--) {
        const i = KIND_INDEX[kind] * this.#levels + level
        const count = this.#counts[i]! - (since?.counts[i] ?? 0)
        if (count === 0) continue
        const size = operationSize(this.#parameters, level)
        const weight = this.#weights[i]! - (since?.weights[i] ?? 0)
        records.push({ kind, level, limbs: size.limbs, count, seconds: weight * this.#cost.seconds(kind, size) })
      }
    }
    return records
  }
}

const KIND_INDEX = Object.fromEntries(OPERATION_KINDS.map((kind, i) => [kind, i])) as Record<OperationKind, number>
