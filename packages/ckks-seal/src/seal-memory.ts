import type { EngineMemory } from '@he-ml/ckks-core'
import type { SealObject } from './backend/backend.ts'

type Account = 'ciphertexts' | 'plaintexts' | 'keys'

/** Bytes in SEAL's heap by kind, counted from shapes (8 bytes a residue), and the deletion of what was booked. */
export class SealMemory {
  readonly #limbBytes: number
  readonly #live: Record<Account, number> = { ciphertexts: 0, plaintexts: 0, keys: 0 }
  readonly #objects = new Map<SealObject, () => void>()
  #peak = 0

  constructor(ringDegree: number) {
    this.#limbBytes = 8 * ringDegree
  }

  /** Books an object; the returned function deletes it, once. */
  book(account: Account, object: SealObject, limbs: number): () => void {
    const bytes = limbs * this.#limbBytes
    this.#live[account] += bytes
    this.#peak = Math.max(this.#peak, this.#total())
    const free = () => {
      if (!this.#objects.delete(object)) return
      this.#live[account] -= bytes
      object.delete()
    }
    this.#objects.set(object, free)
    return free
  }

  /** Deletes everything still booked. */
  freeAll(): void {
    for (const free of [...this.#objects.values()]) free()
  }

  report(): EngineMemory {
    return { ...this.#live, scratch: 0, total: this.#total(), peak: this.#peak }
  }

  #total(): number {
    return this.#live.ciphertexts + this.#live.plaintexts + this.#live.keys
  }
}
