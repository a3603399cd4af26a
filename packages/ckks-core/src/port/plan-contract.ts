/**
 * What a client holds its own inputs, and the results that come back, to. All of it is public, none of it comes from a returned
 * file: it is made from the plan, by whoever owns the key, and kept beside the key.
 */
import type { Level, Scale, Slots } from './quantities.ts'

/** How the ciphertexts at one end of a plan look. */
export interface ContractEnd {
  readonly level: Level
  readonly scale: Scale
  /** Period of every ciphertext. */
  readonly slots: Slots
  readonly ciphertexts: number
}

/** See above. */
export interface PlanContract {
  /** Content hash of the plan. */
  readonly plan: string
  /** `Parameters.id`. */
  readonly parameters: string
  readonly input: ContractEnd & {
    /** Real parts of slots for which the plan's error is right; 0 is always among them. Absent: unknown, nothing can be published. */
    readonly range?: { readonly min: number; readonly max: number }
  }
  readonly output: ContractEnd
  /** Bound on |error| of every real number of the output, in its own units; see {@link publicationBound}. */
  readonly errorBound: number
}

/** How far the predicted root mean square may be too low: 2 bits, the model's own claim (docs/notes/noise-model.md). */
const MODEL_FACTOR = 4

/**
 * Bound on one real number's error from the predicted root mean square of the complex slot error: 8 standard deviations of a
 * real part, times 4 because a prediction may be 2 bits too good. 22.6 times the prediction; where the prediction holds, a number
 * with a normal error exceeds it with probability below 2^-700, and one whose error is 4 times as large with 2^-49.
 */
export const publicationBound = (slotErrorRms: number): number => MODEL_FACTOR * 8 * Math.SQRT1_2 * slotErrorRms
