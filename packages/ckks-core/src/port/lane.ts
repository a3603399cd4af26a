/**
 * A lane is a scope of an engine's queue: an engine to whoever holds it, with a queue, failures, progress and a share of the
 * memory of its own. Two runs on two lanes of one engine share its threads and its keys and do not know of each other.
 *
 * Handles belong to the engine, not to the lane: what was made on one lane may be used on every other, and outlives its lane.
 * What one lane queued on a result of another fails when that result fails or is cancelled; so what several runs share (encoded
 * weights) is made on the engine itself, which nobody cancels.
 */
import type { Engine } from './engine.ts'

/** How to open a lane. */
export interface LaneOptions {
  /**
   * Bytes of ciphertexts, plaintexts and working memory made on this lane above which none of its operations starts while
   * another of them runs; default none. Delays, never refuses: a lane always works on at least one operation.
   */
  readonly memory?: number
  /** When it is aborted, the lane is cancelled, and every later call on it throws CancelledError. */
  readonly signal?: AbortSignal
}

/**
 * See above. Of the engine's calls these speak of the lane alone:
 * - `drain` waits for what was queued here, and throws the first failure of these operations;
 * - `cancel` drops what was queued here and has not started;
 * - `progress` counts what was queued here;
 * - `memory` counts what was made here and lives; keys are the engine's, and 0 here;
 * - `dispose` cancels, waits for what runs, and closes the lane: handles stay valid, calls on the lane throw DisposedError;
 * - `openLane` opens another lane of the same engine.
 */
export interface Lane extends Engine {
  /** Whose lane it is; the owner of all handles. */
  readonly engine: Engine
}
