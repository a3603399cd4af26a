/**
 * Handles to things an engine owns. Level and scale are right from the moment a call returns; the polynomials may still be
 * on their way (await `ready()`). Handles are immutable: every operation makes a new one. Memory lives outside the
 * JavaScript heap, so dispose of what is no longer needed; an operation that was queued before keeps its inputs alive.
 */
import type { Level, Scale, Slots } from './quantities.ts'

interface Handle extends Disposable {
  /** The engine instance it belongs to; handles of different instances never mix. */
  readonly owner: object
  /** Rescalings that are left; of plaintexts, the highest level they can be used at. */
  readonly level: Level
  /** The fixed-point factor, carried exactly. */
  readonly scale: Scale
  /** Period of the slot vector. */
  readonly slots: Slots
  /** Whether its memory was given back. */
  readonly disposed: boolean
  /** Gives the memory back; afterwards every use throws DisposedError. Twice is harmless. */
  dispose(): void
}

/** An encrypted slot vector. */
export interface Ciphertext extends Handle {
  /** 1 after encryption or relinearisation, 2 after a product. */
  readonly degree: 1 | 2
  /** Resolves when the polynomials are there. @throws whatever made the operation fail */
  ready(): Promise<void>
}

/** An encoded, unencrypted slot vector. */
export interface Plaintext extends Handle {
  /** Whether it also holds the special primes' limbs, as fused linear transforms want. */
  readonly extended: boolean
  /** Whether its limbs are made when they are used: for linear transforms only. */
  readonly deferred: boolean
}
