import type { Plaintext } from './handles.ts'
import type { Level, Scale, Slots } from './quantities.ts'

/** One plaintext diagonal, already rotated back by its giant step. */
export interface LinearTransformTerm {
  /** Baby step: left rotation of the input, in [0, slots). */
  readonly step: number
  readonly plaintext: Plaintext
}

/**
 * A matrix times a slot vector, prepared for a level: sum over giant steps g of rotate(sum over terms of
 * plaintext * rotate(input, term.step), g).
 */
export interface PreparedLinearTransform extends Disposable {
  readonly slots: Slots
  readonly level: Level
  /** Scale of the encoded diagonals; the product has input scale times this. */
  readonly scale: Scale
  readonly giants: readonly { readonly step: number; readonly terms: readonly LinearTransformTerm[] }[]
  dispose(): void
}
