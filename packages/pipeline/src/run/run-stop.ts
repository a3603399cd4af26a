/** What may stop a run from outside: its caller's signal, and a callback of the caller's that throws, also when the clock calls it. */
import { CancelledError, type Lane } from '@he-ml/ckks-core'
import type { RunOptions, RunProgress } from './run-options.ts'

/** Cancels the run's lane. */
export class RunStop implements Disposable {
  /** In place of those that the caller gave: `onProgress` never throws. */
  readonly options: Pick<RunOptions, 'signal' | 'onProgress'>
  readonly #signal: AbortSignal | undefined
  readonly #stop = new AbortController()
  readonly #onAbort = (): void => this.#stop.abort(this.#signal?.reason)
  #failed: { readonly error: unknown } | undefined

  constructor(lane: Lane, { signal, onProgress }: Pick<RunOptions, 'signal' | 'onProgress'>) {
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#stop.signal.addEventListener('abort', () => lane.cancel(), { once: true })
    this.options = {
      signal: this.#stop.signal,
      ...(onProgress ? { onProgress: (progress) => this.#tell(onProgress, progress) } : {}),
    }
  }

  /** What the caller is told of a failure. */
  reasonOf(error: unknown): unknown {
    if (this.#failed) return this.#failed.error
    if (!this.#signal?.aborted) return error
    // of the engine it is an operation that never began: the run had
    return new CancelledError('run: cancelled', {
      cause: error instanceof CancelledError ? this.#signal.reason : error,
    })
  }

  dispose(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  #tell(onProgress: (progress: RunProgress) => void, progress: RunProgress): void {
    if (this.#failed) return
    try {
      onProgress(progress)
    } catch (error) {
      this.#failed = { error }
      this.#stop.abort(error)
    }
  }
}
