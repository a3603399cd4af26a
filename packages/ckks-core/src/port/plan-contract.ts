/**
 * What a client holds its own inputs, and the results that come back, to. All of it is public, none of it comes from a returned
 * file: it is made from the plan, by whoever owns the key, and kept beside the key.
 */
import type { Level, Scale, Slots } from './quantities.ts'

/** How the ciphertexts at one end of a plan look. */
export interface ContractEnd {
  /** Level of every ciphertext. */
  readonly level: Level
  /** Scale of every ciphertext. */
  readonly scale: Scale
  /** Period of every ciphertext. */
  readonly slots: Slots
  /** How many there are. */
  readonly ciphertexts: number
}

/** See above. */
export interface PlanContract {
  /** Content hash of the plan. */
  readonly plan: string
  /** `Parameters.id`. */
  readonly parameters: string
  /** What is encrypted. */
  readonly input: ContractEnd & {
    /**
     * Real parts of slots for which the plan's error is right; 0 is always among them. Absent: unknown, nothing can be
     * published.
     */
    readonly range?: {
      /** Smallest real part. */
      readonly min: number
      /** Largest real part. */
      readonly max: number
    }
  }
  /** What comes back. */
  readonly output: ContractEnd
  /** Bound on |error| of every real number of the output, in its own units; see {@link publicationBound}. */
  readonly errorBound: number
}

/**
 * Bound on one real number's error from the predicted root mean square of the complex slot error: 64 times it.
 *
 * What rounding and key switching add is a product of two nearly normal numbers in every slot (a rounding error or a digit, times
 * the secret or a key's error), so its tail falls like exp(-2 t) at t root mean squares, far slower than a normal one: 8 standard
 * deviations of a real part are exceeded once in 10^5 numbers. 64 leaves 2^-46 per number where the prediction is 2 bits too good
 * (the model's own claim, docs/notes/noise-model.md), and room for slots at the steep ends of polynomials.
 */
export const publicationBound = (slotErrorRms: number): number => 64 * slotErrorRms
