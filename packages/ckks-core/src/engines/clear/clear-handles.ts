import { BaseCiphertext, BasePlaintext, type CiphertextMeta, type PlaintextMeta } from '../../port/base-handle.ts'
import type { ComplexVector } from '../../port/slot-values.ts'
import type { ByteLedger } from '../byte-ledger.ts'

const bytesOf = (vector: ComplexVector): number => vector.re.byteLength + (vector.im?.byteLength ?? 0)

/** A "ciphertext" of the clear engine: its slots, in the clear. */
export class ClearCiphertext extends BaseCiphertext {
  readonly #ledger: ByteLedger
  #vector: ComplexVector | undefined
  /** Its values may outgrow the modulus. */
  periodic = false

  constructor(owner: object, ledger: ByteLedger, meta: CiphertextMeta, vector: ComplexVector) {
    super(owner, meta)
    this.#ledger = ledger
    this.#vector = vector
    ledger.take('ciphertexts', bytesOf(vector))
  }
  get vector(): ComplexVector {
    return this.#vector!
  }
  ready(): Promise<void> {
    return Promise.resolve()
  }
  protected release(): void {
    this.#ledger.give('ciphertexts', bytesOf(this.#vector!))
    this.#vector = undefined
  }
}

/** A plaintext of the clear engine: one period of its slots. */
export class ClearPlaintext extends BasePlaintext {
  readonly #ledger: ByteLedger
  #vector: ComplexVector | undefined

  constructor(owner: object, ledger: ByteLedger, meta: PlaintextMeta, vector: ComplexVector) {
    super(owner, meta)
    this.#ledger = ledger
    this.#vector = vector
    ledger.take('plaintexts', bytesOf(vector))
  }
  get vector(): ComplexVector {
    return this.#vector!
  }
  protected release(): void {
    this.#ledger.give('plaintexts', bytesOf(this.#vector!))
    this.#vector = undefined
  }
}
