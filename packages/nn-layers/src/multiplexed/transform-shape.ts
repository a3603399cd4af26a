/** A linear map between two layouts as rotations and diagonals: what a search ends in. */
import type { MultiplexedLayout } from '@he-ml/packing'
import type { LinearMap } from '../linear-map/linear-map.ts'

/** What diagonals multiply: an input ciphertext, or two, one of them rotated, as the halves of one. */
export interface Carried {
  /** Input ciphertext. */
  readonly real: number
  readonly imaginary?: {
    /** Input ciphertext. */
    readonly from: number
    /** Left rotation. */
    readonly steps: number
  }
}

/** Diagonals from one carried ciphertext to one output ciphertext. */
export interface TransformBlock {
  /** Index of a carried ciphertext. */
  readonly from: number
  readonly to: number
  /** Rotations of what is carried; negative to the right. */
  readonly steps: readonly number[]
}

export interface TransformPlan {
  readonly map: LinearMap
  readonly input: MultiplexedLayout
  readonly output: MultiplexedLayout
  /** Slots of the transform: as many as the input's handles have, or more. */
  readonly slots: number
  /** Length with which diagonals repeat. */
  readonly length: number
  readonly carried: readonly Carried[]
  readonly blocks: readonly TransformBlock[]
  /** Rotations added up after rescaling. */
  readonly folds: readonly number[]
  /** Where shares lie relative to an output's slot. */
  readonly shifts: readonly number[]
  readonly cost: number
}
