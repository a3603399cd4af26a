import { BaseCiphertext, BasePlaintext, type CiphertextMeta, type PlaintextMeta } from '@he-ml/ckks-core'
import type { SealCiphertext, SealPlaintext } from './backend/backend.ts'
import type { SealMemory } from './seal-memory.ts'

// A safety net only: the WebAssembly heap is invisible to the garbage collector's pressure.
const forgotten = new FinalizationRegistry<() => void>((release) => release())

/** A ciphertext in SEAL's heap. The work is done when the handle exists. */
export class SealCiphertextHandle extends BaseCiphertext {
  readonly object: SealCiphertext
  readonly #free: () => void

  constructor(owner: object, memory: SealMemory, object: SealCiphertext, meta: CiphertextMeta) {
    super(owner, meta)
    this.object = object
    this.#free = memory.book('ciphertexts', object, (meta.degree + 1) * (meta.level + 1))
    forgotten.register(this, this.#free, this)
  }
  async ready(): Promise<void> {}
  protected release(): void {
    forgotten.unregister(this)
    this.#free()
  }
}

/** An encoded vector in SEAL's heap. */
export class SealPlaintextHandle extends BasePlaintext {
  readonly object: SealPlaintext
  readonly #free: () => void

  constructor(owner: object, memory: SealMemory, object: SealPlaintext, meta: PlaintextMeta) {
    super(owner, meta)
    this.object = object
    this.#free = memory.book('plaintexts', object, meta.level + 1)
    forgotten.register(this, this.#free, this)
  }
  protected release(): void {
    forgotten.unregister(this)
    this.#free()
  }
}
