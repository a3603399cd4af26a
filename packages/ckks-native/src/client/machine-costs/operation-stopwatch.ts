import type { Engine } from '@he-ml/ckks-core'
import { throwIfAborted } from '../../errors.ts'

/** Times measured altogether, for the progress. */
const TIMES = 16
const ROUNDS = 4

/** Seconds of an operation, from several that are queued together and keep all threads busy. */
export class OperationStopwatch {
  readonly #engine: Pick<Engine, 'drain'>
  readonly #signal: AbortSignal | undefined
  readonly #onProgress: ((fraction: number) => void) | undefined
  readonly #now: () => number
  #done = 0

  /** @param options `onProgress` gets fractions of a whole measurement from 0.4, where keys are made, to 0.99; `now`: milliseconds */
  constructor(
    engine: Pick<Engine, 'drain'>,
    options: {
      readonly signal?: AbortSignal
      readonly onProgress?: (fraction: number) => void
      readonly now?: () => number
    },
  ) {
    this.#engine = engine
    this.#signal = options.signal
    this.#onProgress = options.onProgress
    this.#now = options.now ?? (() => performance.now())
  }

  /**
   * Median of all rounds but the first of the seconds of one of `count` operations; their results are given back.
   * @throws CancelledError through the signal
   */
  async time(count: number, run: () => Disposable | readonly Disposable[]): Promise<number> {
    throwIfAborted(this.#signal, 'measuring the machine was cancelled')
    const rounds: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await this.#engine.drain()
      const started = this.#now()
      const results = Array.from({ length: count }, run)
      // a result that is given back before it is computed would be skipped
      await this.#engine.drain()
      rounds.push((this.#now() - started) / 1000 / count)
      for (const result of results.flat()) (result as Disposable)[Symbol.dispose]()
    }
    this.#onProgress?.(Math.min(0.99, 0.4 + (0.6 * ++this.#done) / TIMES))
    return rounds.slice(1).sort((a, b) => a - b)[1]!
  }
}
