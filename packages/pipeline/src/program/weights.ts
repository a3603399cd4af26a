/**
 * Encoded constants with an identity of their own. Time steps and other nodes that share a layer share its weights, all
 * refreshes through one circuit share its matrices, and refreshes of one shape their masks: each is encoded once.
 */
import type { Bootstrapping, FunctionalBootstrapping, Level } from '@he-ml/ckks-core'
import type { LoweredLayer } from '@he-ml/packing'
import type { RefreshShape } from './refresh-shape.ts'

/** Names weights in their program, and in what a plan says of their sizes. */
export type WeightsId = string

/** The weights of a layer's circuit at a level. */
export interface LayerWeights {
  /** Tells the forms of weights apart. */
  readonly kind: 'layer'
  /** Unique in the program. */
  readonly id: WeightsId
  /** The circuit that encodes them and computes with them. */
  readonly circuit: LoweredLayer
  /** Level at which its inputs are read; it takes the weights at this level and below. */
  readonly level: Level
}

/** The matrices of a bootstrapping circuit. */
export interface BootstrappingWeights {
  /** Tells the forms of weights apart. */
  readonly kind: 'bootstrapping'
  /** Unique in the program. */
  readonly id: WeightsId
  /** The circuit. */
  readonly bootstrapping: Bootstrapping
  /** Ranges that it is prepared for, ascending. */
  readonly ranges: readonly number[]
}

/** The masks that lay short ciphertexts side by side and take them apart again. */
export interface MaskWeights {
  /** Tells the forms of weights apart. */
  readonly kind: 'masks'
  /** Unique in the program. */
  readonly id: WeightsId
  /** The circuit. */
  readonly bootstrapping: Bootstrapping
  /** Period of the ciphertexts, and how many of them become one. */
  readonly shape: Pick<RefreshShape, 'period' | 'merge'>
}

/** The matrices of a functional bootstrapping circuit. */
export interface FunctionalWeights {
  /** Tells the forms of weights apart. */
  readonly kind: 'functional'
  /** Unique in the program. */
  readonly id: WeightsId
  /** The circuit. */
  readonly functional: FunctionalBootstrapping
  /** Periods of values that it is prepared for, ascending. */
  readonly periods: readonly number[]
}

/** Constants that tasks compute with, one encoding for all tasks that name them. */
export type Weights = LayerWeights | BootstrappingWeights | MaskWeights | FunctionalWeights
