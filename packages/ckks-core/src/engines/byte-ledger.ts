import type { EngineMemory } from '../port/engine.ts'

/** Which account of {@link ByteLedger} a handle is booked on. */
export type LedgerAccount = 'ciphertexts' | 'plaintexts'

/** Live and peak bytes of an engine whose handles report when they come and go. */
export class ByteLedger {
  #ciphertexts = 0
  #plaintexts = 0
  #peak = 0
  #peakCiphertexts = 0
  #peakPlaintexts = 0
  #risen = 0
  #start = 0

  take(account: LedgerAccount, bytes: number): void {
    if (account === 'ciphertexts') this.#ciphertexts += bytes
    else this.#plaintexts += bytes
    this.#peakCiphertexts = Math.max(this.#peakCiphertexts, this.#ciphertexts)
    this.#peakPlaintexts = Math.max(this.#peakPlaintexts, this.#plaintexts)
    this.#risen = Math.max(this.#risen, this.#ciphertexts - this.#start)
    this.#peak = Math.max(this.#peak, this.#ciphertexts + this.#plaintexts)
  }

  give(account: LedgerAccount, bytes: number): void {
    this.take(account, -bytes)
  }

  /** How far work lifts both accounts above where they are when it begins. */
  measure<T>(work: () => T): { readonly result: T; readonly ciphertexts: number; readonly plaintexts: number } {
    const outer = [this.#peakCiphertexts, this.#peakPlaintexts] as const
    const [ciphertexts, plaintexts] = [this.#ciphertexts, this.#plaintexts]
    this.#peakCiphertexts = ciphertexts
    this.#peakPlaintexts = plaintexts
    try {
      const result = work()
      return {
        result,
        ciphertexts: this.#peakCiphertexts - ciphertexts,
        plaintexts: this.#peakPlaintexts - plaintexts,
      }
    } finally {
      this.#peakCiphertexts = Math.max(outer[0], this.#peakCiphertexts)
      this.#peakPlaintexts = Math.max(outer[1], this.#peakPlaintexts)
    }
  }

  /** Both accounts rise by so much, and fall again. */
  swell(ciphertexts: number, plaintexts: number): void {
    this.take('plaintexts', plaintexts)
    this.take('ciphertexts', ciphertexts)
    this.give('ciphertexts', ciphertexts)
    this.give('plaintexts', plaintexts)
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
