/** The keys that tasks at work lease, or are about to: booked before anything is awaited, so that whoever asks next sees them. */
import type { KeyNeed, KeyStore } from '@he-ml/ckks-core'

interface Booking {
  readonly need: KeyNeed
  readonly bytes: number
  /** Tasks that booked it. */
  count: number
}

/** Without a store of keys there is nothing to book. */
export class KeyBookings {
  readonly #keys: KeyStore | undefined
  readonly #booked = new Map<string, Booking>()

  constructor(keys: KeyStore | undefined) {
    this.#keys = keys
  }

  /** Counts a task's keys. @returns the reverse */
  book(needs: readonly KeyNeed[]): () => void {
    const keys = this.#keys
    if (!keys) return () => undefined
    for (const need of needs) {
      const known = this.#booked.get(nameOf(need)) ?? { need, bytes: keys.bytes(need), count: 0 }
      known.count++
      this.#booked.set(nameOf(need), known)
    }
    return () => {
      for (const name of needs.map(nameOf)) if (--this.#booked.get(name)!.count === 0) this.#booked.delete(name)
    }
  }

  /** What is booked, each key once. */
  get needs(): readonly KeyNeed[] {
    return [...this.#booked.values()].map(({ need }) => need)
  }

  /** Bytes of all booked keys if these were booked too. */
  bytesWith(needs: readonly KeyNeed[]): number {
    if (!this.#keys) return 0
    const others = needs.filter((need) => !this.#booked.has(nameOf(need)))
    return [...this.#booked.values()].reduce((sum, { bytes }) => sum + bytes, this.#keys.bytes(...others))
  }
}

const nameOf = (need: KeyNeed): string => (need.kind === 'rotation' ? `rotation by ${need.steps}` : need.kind)
