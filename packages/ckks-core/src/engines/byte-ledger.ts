import type { EngineMemory } from '../port/engine.ts'

/** Which account of {@link ByteLedger} a handle is booked on. */
export type LedgerAccount = 'ciphertexts' | 'plaintexts'

/** Bytes by which accounts rise, each at its own time, and both together. */
export interface BytesRisen {
  readonly ciphertexts: number
  readonly plaintexts: number
  readonly together: number
}

/** Live and peak bytes of an engine whose handles report when they come and go. */
export class ByteLedger {
  #ciphertexts = 0
  #plaintexts = 0
  #peak = 0
  #peakCiphertexts = 0
  #peakPlaintexts = 0
  #risen = 0
  #start = 0
  /** Highest bytes of what is being measured. */
  readonly #measured = new Set<Record<keyof BytesRisen, number>>()

  take(account: LedgerAccount, bytes: number): void {
    if (account === 'ciphertexts') this.#ciphertexts += bytes
    else this.#plaintexts += bytes
    this.#note(this.#now())
  }

  give(account: LedgerAccount, bytes: number): void {
    this.take(account, -bytes)
  }

  /** How far work lifts the accounts above where they are when it begins. */
  measure<T>(work: () => T): { readonly result: T; readonly rise: BytesRisen } {
    const start = this.#now()
    const highest = { ...start }
    this.#measured.add(highest)
    try {
      const result = work()
      const rise = {
        ciphertexts: highest.ciphertexts - start.ciphertexts,
        plaintexts: highest.plaintexts - start.plaintexts,
        together: highest.together - start.together,
      }
      return { result, rise }
    } finally {
      this.#measured.delete(highest)
    }
  }

  /** The accounts rise by so much, and fall again. */
  swell({ ciphertexts, plaintexts, together }: BytesRisen): void {
    const now = this.#now()
    this.#note({
      ciphertexts: now.ciphertexts + ciphertexts,
      plaintexts: now.plaintexts + plaintexts,
      together: now.together + together,
    })
  }

  #now(): Record<keyof BytesRisen, number> {
    const [ciphertexts, plaintexts] = [this.#ciphertexts, this.#plaintexts]
    return { ciphertexts, plaintexts, together: ciphertexts + plaintexts }
  }

  /** Whatever looks at how high the accounts are. */
  #note({ ciphertexts, plaintexts, together }: BytesRisen): void {
    this.#peakCiphertexts = Math.max(this.#peakCiphertexts, ciphertexts)
    this.#peakPlaintexts = Math.max(this.#peakPlaintexts, plaintexts)
    this.#risen = Math.max(this.#risen, ciphertexts - this.#start)
    this.#peak = Math.max(this.#peak, together)
    for (const highest of this.#measured) {
      highest.ciphertexts = Math.max(highest.ciphertexts, ciphertexts)
      highest.plaintexts = Math.max(highest.plaintexts, plaintexts)
      highest.together = Math.max(highest.together, together)
    }
  }

  /** Begins to watch how far ciphertexts rise from now on. */
  watch(): void {
    this.#start = this.#ciphertexts
    this.#risen = 0
  }

  /** Most bytes of ciphertexts above those at the last `watch`. */
  get risen(): number {
    return this.#risen
  }

  get peaks(): { readonly ciphertexts: number; readonly plaintexts: number } {
    return { ciphertexts: this.#peakCiphertexts, plaintexts: this.#peakPlaintexts }
  }

  memory(keys = 0, scratch = 0): EngineMemory {
    const ciphertexts = this.#ciphertexts
    const plaintexts = this.#plaintexts
    return {
      ciphertexts,
      plaintexts,
      keys,
      scratch,
      total: ciphertexts + plaintexts + keys + scratch,
      peak: this.#peak + keys + scratch,
    }
  }
}
