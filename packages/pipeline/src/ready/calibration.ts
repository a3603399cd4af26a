import type { Equalization, InputStatistics } from '@he-ml/model'

/** What `fit` learned: statistics at the input of every activation, by node name. */
export interface Calibration {
  /** Name of the model that was fitted. */
  readonly model: string
  /** Fingerprint of that model (`modelDigest`): `compile` refuses the calibration of another. */
  readonly modelDigest: string
  /** Inputs that were run, at least 1. */
  readonly samples: number
  /** Distribution of the inputs of each activation, by node. */
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

/** Where each element of the result lay, flat, in the order of the output tensor. */
export interface OutputRanges {
  /** Smallest value of each element. */
  readonly min: readonly number[]
  /** Largest value of each element. */
  readonly max: readonly number[]
}

/** Elements lie in [min, max]. */
export interface InputRange {
  /** Smallest element of any input. */
  readonly min: number
  /** Largest element of any input. */
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
  /** Mean of its values. */
  readonly mean: readonly number[]
  /** Standard deviation of its values. */
  readonly std: readonly number[]
  /** Smallest of its values. */
  readonly min: readonly number[]
  /** Largest of its values. */
  readonly max: readonly number[]
}
