/**
 * Where ciphertexts go that are not needed for a while: a folder, or memory outside the engine's ceiling. A store belongs to one
 * engine; what it gives back are handles of that engine, usable on every lane of it. It is no archive: nothing of it outlives
 * the store (checkpoints do that).
 */
import type { Ciphertext } from './handles.ts'

/** Some ciphertexts that were put away together. Means nothing to another store. */
export interface SpilledCiphertexts {
  /** How many. */
  readonly count: number
  /** Bytes they take in the store. */
  readonly bytes: number
}

/** See above. */
export interface CiphertextStore extends AsyncDisposable {
  /** Bytes stored now. */
  readonly bytes: number
  /**
   * Puts ciphertexts away, waiting until they are computed. The handles stay the caller's, who disposes of them once this has
   * resolved: that is what frees the engine's memory. When it fails nothing is stored and nothing is lost.
   *
   * @throws CancelledError through the signal; whatever made one of them fail; FileSystemError, such as a full disk
   */
  spill(ciphertexts: readonly Ciphertext[], options?: { readonly signal?: AbortSignal }): Promise<SpilledCiphertexts>
  /**
   * New handles with the same values, bit for bit, in the same order. The stored copy stays until it is dropped.
   *
   * @throws InvalidArgumentError for what was dropped before or comes from another store; FormatError when the copy was damaged
   *   meanwhile; CancelledError; FileSystemError. Nothing is left behind in the engine then
   */
  restore(spilled: SpilledCiphertexts, options?: { readonly signal?: AbortSignal }): Promise<Ciphertext[]>
  /** Deletes the stored copy. Twice is harmless. */
  drop(spilled: SpilledCiphertexts): Promise<void>
  /** Deletes everything. Twice is harmless. */
  dispose(): Promise<void>
}
