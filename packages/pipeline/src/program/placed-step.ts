/** What is decided about a program beside its network, as plain data: a placement search finds it, a plan records it. */
import type { Level } from '@he-ml/ckks-core'

/** A layer at a level. */
export interface PlacedLayer {
  readonly layer: string
  /** Level at which all its inputs are read. */
  readonly level: Level
  /** Which tile of the batch; absent where there is one. */
  readonly tile?: number
}

/** A bootstrap of values together. */
export interface PlacedRefresh {
  readonly values: readonly string[]
  /** Index of the circuit. */
  readonly circuit: number
  readonly range: number
  /** Ciphertexts that masks lay side by side into one. */
  readonly merge: number
  /** Which tile of the batch; absent where there is one. */
  readonly tile?: number
}

/** In the order in which they run. */
export type PlacedStep = PlacedLayer | PlacedRefresh

export const isPlacedRefresh = (step: PlacedStep): step is PlacedRefresh => 'values' in step
