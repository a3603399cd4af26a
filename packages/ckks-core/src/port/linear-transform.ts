import type { Plaintext } from './handles.ts'
import type { Level, Scale, Slots } from './quantities.ts'

/** One plaintext diagonal, already rotated back by its giant step. */
export interface LinearTransformTerm {
  /** Baby step: left rotation of the input, in [0, slots). */
  readonly step: number
  /** The diagonal's values, encoded. */
  readonly plaintext: Plaintext
}

/**
 * A matrix times a slot vector, prepared for a level: sum over giant steps g of rotate(sum over terms of
 * plaintext * rotate(input, term.step), g).
 */
export interface PreparedLinearTransform extends Disposable {
  /** Rows and columns: the period of the slots. */
  readonly slots: Slots
  /** Level of the inputs it takes. */
  readonly level: Level
  /** Scale of the encoded diagonals; the product has input scale times this. */
  readonly scale: Scale
  /** The giant steps and their babies. */
  readonly giants: readonly {
    /** Left rotation of the sum, in [0, slots). */
    readonly step: number
    /** What is summed up. */
    readonly terms: readonly LinearTransformTerm[]
  }[]
  /** Disposes of all plaintexts. */
  dispose(): void
}
