/**
 * Encoded constants with an identity of their own. Time steps and other nodes that share a layer share its weights, all
 * refreshes through one circuit share its matrices, and refreshes of one shape their masks: each is encoded once.
 */
import type { Bootstrapping, FunctionalBootstrapping, Level } from '@he-ml/ckks-core'
import type { LoweredLayer } from '@he-ml/packing'
import type { RefreshShape } from './refresh-shape.ts'

export type WeightsId = string

/** The weights of a layer's circuit at a level. */
export interface LayerWeights {
  readonly kind: 'layer'
  readonly id: WeightsId
  readonly circuit: LoweredLayer
  readonly level: Level
}

/** The matrices of a bootstrapping circuit. */
export interface BootstrappingWeights {
  readonly kind: 'bootstrapping'
  readonly id: WeightsId
  readonly bootstrapping: Bootstrapping
  /** Ranges that it is prepared for, ascending. */
  readonly ranges: readonly number[]
}

/** The masks that lay short ciphertexts side by side and take them apart again. */
export interface MaskWeights {
  readonly kind: 'masks'
  readonly id: WeightsId
  readonly bootstrapping: Bootstrapping
  readonly shape: Pick<RefreshShape, 'period' | 'merge'>
}

/** The matrices of a functional bootstrapping circuit. */
export interface FunctionalWeights {
  readonly kind: 'functional'
  readonly id: WeightsId
  readonly functional: FunctionalBootstrapping
  /** Periods of values that it is prepared for, ascending. */
  readonly periods: readonly number[]
}

export type Weights = LayerWeights | BootstrappingWeights | MaskWeights | FunctionalWeights
