/** How ciphertexts travel through a bootstrapping circuit. */
import type { BootstrappingCircuit, Level, Slots } from '@he-ml/ckks-core'

/** What one refresh is given. */
export interface RefreshShape {
  /** Number of ciphertexts to refresh, all of real values. */
  readonly ciphertexts: number
  /** Their common period. */
  readonly period: Slots
  /** Ciphertexts that masks lay side by side into one of `merge` times as many slots; 1 for none. A power of two. */
  readonly merge: number
}

/** Level that values need, and the one they get: masks take a level on both sides. */
export function refreshLevels(
  bootstrapping: BootstrappingCircuit,
  merge: number,
): { readonly needs: Level; readonly gives: Level } {
  const masks = merge > 1 ? 1 : 0
  return { needs: bootstrapping.inputLevel + masks, gives: bootstrapping.outputLevel - masks }
}

/** Ciphertexts that travel through one bootstrap. */
export const bootstrapLoad = ({ spec }: BootstrappingCircuit, merge: number): number =>
  spec.content === 'complex' ? 2 * merge : merge

/** Bootstraps that a refresh takes. */
export const bootstrapCount = (bootstrapping: BootstrappingCircuit, { ciphertexts, merge }: RefreshShape): number =>
  Math.ceil(ciphertexts / bootstrapLoad(bootstrapping, merge))
