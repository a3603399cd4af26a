import type { KeyNeed } from './keys.ts'

/** A key that a store can load. */
export interface StoredKey {
  /** The most it serves: its kind, steps and level. */
  readonly need: KeyNeed
  /** Bytes of memory when resident. */
  readonly bytes: number
}
