import { BaseCiphertext, BasePlaintext, type CiphertextMeta, type PlaintextMeta } from '@he-ml/ckks-core'
import type { BindingLane, CiphertextHandle, PlaintextHandle } from './binding.ts'
import { nativeAsync } from './errors.ts'

// A safety net only: memory outside the heap is invisible to the garbage collector's pressure.
const forgotten = new FinalizationRegistry<() => void>((release) => release())

/** A ciphertext in the compiled engine's memory. */
export class NativeCiphertext extends BaseCiphertext {
  /** How the compiled engine knows it. */
  readonly handle: CiphertextHandle
  readonly #binding: BindingLane

  constructor(owner: object, binding: BindingLane, handle: CiphertextHandle, meta: CiphertextMeta) {
    super(owner, meta)
    this.handle = handle
    this.#binding = binding
    forgotten.register(this, () => binding.releaseCiphertext(handle), this)
  }
  ready(): Promise<void> {
    return nativeAsync(() => this.#binding.readyCiphertext(this.handle))
  }
  protected release(): void {
    forgotten.unregister(this)
    this.#binding.releaseCiphertext(this.handle)
  }
}

/** An encoded vector in the compiled engine's memory. */
export class NativePlaintext extends BasePlaintext {
  /** How the compiled engine knows it. */
  readonly handle: PlaintextHandle
  readonly #binding: BindingLane

  constructor(owner: object, binding: BindingLane, handle: PlaintextHandle, meta: PlaintextMeta) {
    super(owner, meta)
    this.handle = handle
    this.#binding = binding
    forgotten.register(this, () => binding.releasePlaintext(handle), this)
  }
  protected release(): void {
    forgotten.unregister(this)
    this.#binding.releasePlaintext(this.handle)
  }
}
