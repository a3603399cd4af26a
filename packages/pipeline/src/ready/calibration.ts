import type { Equalization, InputStatistics } from '@he-ml/model'

/** What `fit` learned: statistics at the input of every activation, by node name. */
export interface Calibration {
  readonly model: string
  readonly samples: number
  readonly statistics: Readonly<Record<string, InputStatistics>>
  /** Largest absolute value of the network's result; `compile` makes the base modulus large enough for it. */
  readonly outputMagnitude?: number
  /** Least and largest value of each element of the network's result: what its predicted precision is relative to. */
  readonly outputRanges?: OutputRanges
  /** Smallest and largest element of the inputs: what a client may encrypt, with the plan's margin. */
  readonly inputRange?: InputRange
  /** The model was equalized so before anything was seen: all of this is about the equalized one. Absent: it was not. */
  readonly equalization?: Equalization
  /** Sizes of the input and of every value, by name: ranges of bootstraps, and what errors are relative to. */
  readonly values?: Readonly<Record<string, ValueSize>>
}

export interface OutputRanges {
  readonly min: readonly number[]
  readonly max: readonly number[]
}

/** Elements lie in [min, max]. */
export interface InputRange {
  readonly min: number
  readonly max: number
}

/** How large the elements of a tensor get. */
export interface ValueSize {
  /** Largest absolute value. */
  readonly largest: number
  /** Root mean square. */
  readonly rms: number
  /** Sixth root of the mean sixth power: a bootstrap's sine bends values by their cube. */
  readonly sixth: number
  /** Where the values of each channel (the first dimension) lie: errors follow the slopes of activations there. */
  readonly channels?: ChannelStatistics
}

/** One number per channel each. */
export interface ChannelStatistics {
  readonly mean: readonly number[]
  readonly std: readonly number[]
  readonly min: readonly number[]
  readonly max: readonly number[]
}
