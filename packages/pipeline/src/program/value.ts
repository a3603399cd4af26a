/** What tasks read and write. A value is written once; refreshing one writes another. */
import type { Level } from '@he-ml/ckks-core'
import type { SlotLayout } from '@he-ml/packing'

/** Names a value in its program: that of the input or of a layer, with a mark for what refreshing or cutting made of it. */
export type ValueId = string

/** Some ciphertexts of an encrypted tensor, at the nominal scale of their level. */
export interface Value {
  /** Unique in the program. */
  readonly id: ValueId
  /** The input, or the layer whose result it is: the same for a value and its refreshed copy, and for all parts of a result. */
  readonly tensor: string
  /** Where the elements of the whole tensor lie. */
  readonly layout: SlotLayout
  /** Which ciphertexts of the layout it holds: all of them, unless a layer is cut into tiles. */
  readonly part: Part
  /** Which image of the batch the layout begins with: 0 unless the batch is cut into tiles. */
  readonly firstImage?: number
  /** Level at which it is written. */
  readonly level: Level
}

/** A run of ciphertexts. */
export interface Part {
  /** Index of the first in the layout, from 0. */
  readonly first: number
  /** How many, at least 1. */
  readonly count: number
}

/** What a circuit takes as one tensor: values that hold, in this order, all ciphertexts of one layout. */
export type Operand = readonly ValueId[]

/** All ciphertexts of a layout. */
export const wholeOf = ({ ciphertexts }: SlotLayout): Part => ({ first: 0, count: ciphertexts })
