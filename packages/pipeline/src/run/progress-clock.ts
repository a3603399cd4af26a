/** Progress of a run: by the plan's estimate of every task, and within a task by the clock, which never quite reaches its end. */
import type { RunProgress } from './run-options.ts'

/** Milliseconds between two reports. */
const REPORT_INTERVAL = 100

/** What is reported of. */
export interface ClockedTask {
  readonly id: string
  /** Estimated seconds. */
  readonly seconds: number
}

/** Reports from its making until it is stopped. */
export class ProgressClock {
  readonly #tasks: readonly ClockedTask[]
  readonly #report: (progress: RunProgress) => void
  readonly #total: number
  readonly #started = performance.now()
  readonly #running = new Map<number, number>()
  readonly #ticker: ReturnType<typeof setInterval>
  #resumed = 0
  #done = 0
  #latest = 0
  #fraction = 0

  constructor(tasks: readonly ClockedTask[], report: (progress: RunProgress) => void) {
    this.#tasks = tasks
    this.#report = report
    this.#total = tasks.reduce((sum, { seconds }) => sum + seconds, 0)
    this.#ticker = setInterval(() => this.#tick(), REPORT_INTERVAL)
    this.#tell()
  }

  /** Tasks that a checkpoint saved. */
  resume(done: readonly number[]): void {
    this.#resumed = done.length
    for (const index of done) this.#done += this.#tasks[index]!.seconds
    this.#latest = Math.min(Math.max(...done) + 1, this.#tasks.length - 1)
    this.#tell()
  }

  start(index: number): void {
    this.#running.set(index, performance.now())
    this.#latest = index
  }

  finish(index: number): void {
    this.#running.delete(index)
    this.#done += this.#tasks[index]!.seconds
    this.#latest = index
    this.#tell()
  }

  stop(): void {
    clearInterval(this.#ticker)
  }

  #tick(): void {
    if (this.#running.size > 0) this.#latest = Math.min(...this.#running.keys())
    this.#tell()
  }

  #tell(): void {
    const now = performance.now()
    let within = 0
    for (const [index, since] of this.#running) {
      const { seconds } = this.#tasks[index]!
      within += seconds * (1 - Math.exp(-(now - since) / 1000 / seconds))
    }
    // several tasks at once may overtake what was said before, never fall back behind it
    this.#fraction = Math.max(this.#fraction, Math.min(1, (this.#done + within) / this.#total))
    const elapsedSeconds = (now - this.#started) / 1000
    this.#report({
      fraction: this.#fraction,
      layer: this.#tasks[this.#latest]!.id,
      layerIndex: this.#latest,
      layerCount: this.#tasks.length,
      resumed: this.#resumed,
      elapsedSeconds,
      ...(this.#fraction > 0.02 ? { remainingSeconds: (elapsedSeconds * (1 - this.#fraction)) / this.#fraction } : {}),
    })
  }
}
