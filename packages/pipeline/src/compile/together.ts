/**
 * Bootstraps in lock step: two take a twentieth less time than one after the other, for they read keys and matrices once; four take
 * hardly less than two, and twice the working memory (docs/notes/bootstrapping.md).
 */

/** Bootstraps in lock step at most. */
export const TOGETHER = 2

/**
 * A member of a circuit: nothing where there is no second bootstrap to go along.
 * @param bootstraps of each of its uses
 */
export const togetherOf = (bootstraps: readonly number[]): { readonly together?: number } =>
  bootstraps.some((count) => count > 1) ? { together: TOGETHER } : {}
