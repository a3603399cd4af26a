import { UnsupportedError } from '../../errors/errors.ts'
import { BaseCiphertext, BasePlaintext, type CiphertextMeta, type PlaintextMeta } from '../../port/base-handle.ts'
import type { SlotEstimate } from '../../port/engine.ts'
import type { ByteLedger } from '../byte-ledger.ts'

/** A ciphertext of the plan engine: numbers about one. */
export class PlanCiphertext extends BaseCiphertext implements SlotEstimate {
  readonly #ledger: ByteLedger
  /** Bytes the ciphertext would take. */
  readonly bytes: number
  error: number
  magnitude: number

  constructor(owner: object, ledger: ByteLedger, meta: CiphertextMeta, bytes: number, estimate: SlotEstimate) {
    super(owner, meta)
    this.#ledger = ledger
    this.bytes = bytes
    this.error = estimate.error
    this.magnitude = estimate.magnitude
    ledger.take('ciphertexts', bytes)
  }
  ready(): Promise<void> {
    return Promise.resolve()
  }
  protected release(): void {
    this.#ledger.give('ciphertexts', this.bytes)
  }
}

/** A plaintext of the plan engine. */
export class PlanPlaintext extends BasePlaintext implements SlotEstimate {
  readonly #ledger: ByteLedger
  readonly bytes: number
  readonly error: number
  readonly magnitude: number

  constructor(owner: object, ledger: ByteLedger, meta: PlaintextMeta, bytes: number, estimate: SlotEstimate) {
    super(owner, meta)
    this.#ledger = ledger
    this.bytes = bytes
    this.error = estimate.error
    this.magnitude = estimate.magnitude
    ledger.take('plaintexts', bytes)
  }
  protected release(): void {
    this.#ledger.give('plaintexts', this.bytes)
  }
}

/** For what takes values. */
export const never = (): never => {
  throw new UnsupportedError('the plan engine evaluates no values')
}
