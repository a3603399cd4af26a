/**
 * What a person sees while the runs go on, on stderr: on a terminal a bar for all runs and one for each that is going on;
 * elsewhere a line now and then. Finished runs are a line each, which stays.
 */
import { type Output, percent, time } from '@he-ml/example-train-spiking-lenet5/terminal'
import type { TrainingProgress } from '@he-ml/snn-training'
import cliProgress from 'cli-progress'
import type { Job } from '../cells/grid.ts'
import type { CellRecord } from '../cells/record.ts'
import { cellName } from '../cells/settings.ts'
import type { Plan } from './plan-runs.ts'
import { workOf } from './run-pending.ts'

/** Milliseconds between two lines where there is no terminal. */
const PLAIN_INTERVAL = 20_000

/** Work done against the clock, and from it the time left. */
export class WorkClock {
  readonly #total: number
  readonly #now: () => number
  readonly #started: number
  #finished = 0
  readonly #running = new Map<number, number>()

  /** @param now milliseconds */
  constructor(total: number, now: () => number = () => performance.now()) {
    this.#total = total
    this.#now = now
    this.#started = now()
  }

  /** A runner has done so much of its present run. */
  update(runner: number, work: number): void {
    this.#running.set(runner, work)
  }

  /** A runner is through with a run of so much work. */
  finish(runner: number, work: number): void {
    this.#running.delete(runner)
    this.#finished += work
  }

  /** Undefined as long as nothing is done. */
  get secondsLeft(): number | undefined {
    const done = [...this.#running.values()].reduce((sum, work) => sum + work, this.#finished)
    if (done === 0) return undefined
    return ((this.#now() - this.#started) / 1000) * ((this.#total - done) / done)
  }
}

/** Share of a run that is behind it. */
export const shareDone = ({ epoch, epochs, step, steps, finished }: TrainingProgress): number =>
  (epoch + (finished ? 1 : step / steps)) / epochs

/** A finished run in one line. */
export function describeRecord({ cell, result, execution }: CellRecord): string {
  const outcome = result.kind === 'trained' ? percent(result.accuracy) : `diverged (${result.message})`
  return `${cellName(cell)}: ${outcome}, ${time(execution.seconds)}`
}

/** See the module. */
export class RunProgress implements Disposable {
  readonly #clock: WorkClock
  readonly #total: number
  readonly #bars: { readonly all: cliProgress.MultiBar; readonly overall: cliProgress.SingleBar } | undefined
  readonly #runnerBars = new Map<number, cliProgress.SingleBar>()
  readonly #output: Output
  #done: number
  #spoken = performance.now()

  constructor(plans: readonly Plan[], output: Output = process.stderr) {
    this.#output = output
    const pending = plans.flatMap((plan) => plan.pending)
    this.#done = plans.reduce((sum, plan) => sum + plan.done.length, 0)
    this.#total = this.#done + pending.length
    this.#clock = new WorkClock(pending.reduce((sum, job) => sum + workOf(job), 0))
    if (output.isTTY) this.#bars = this.#startBars()
  }

  #startBars() {
    const all = new cliProgress.MultiBar(
      {
        format: '{what} [{bar}] {detail}',
        stream: this.#output,
        hideCursor: true,
        barsize: 24,
        barCompleteChar: '=',
        barIncompleteChar: ' ',
        emptyOnZero: true,
        gracefulExit: false,
      },
      cliProgress.Presets.legacy,
    )
    const overall = all.create(this.#total, this.#done, { what: 'all runs', detail: this.#standing() })
    return { all, overall }
  }

  #standing(): string {
    const left = this.#clock.secondsLeft
    return `${this.#done} of ${this.#total}, ${left === undefined ? 'estimating' : `${time(left)} left`}`
  }

  /** A run goes on. */
  update(runner: number, job: Job, progress: TrainingProgress): void {
    const share = shareDone(progress)
    this.#clock.update(runner, share * workOf(job))
    const { epoch, epochs, loss, accuracy } = progress
    const detail =
      `${cellName(job.cell)}: epoch ${epoch + 1} of ${epochs}, loss ${loss.toFixed(3)}, ` +
      `training ${percent(accuracy)}`
    if (!this.#bars) {
      if (performance.now() - this.#spoken < PLAIN_INTERVAL) return
      this.#spoken = performance.now()
      this.#output.write(`${this.#standing()}; ${detail}\n`)
      return
    }
    const { all, overall } = this.#bars
    const bar = this.#runnerBars.get(runner) ?? all.create(1000, 0, { what: `   run ${runner + 1}`, detail })
    this.#runnerBars.set(runner, bar)
    bar.update(Math.round(1000 * share), { detail })
    overall.update(this.#done, { detail: this.#standing() })
  }

  /** A run is done and recorded. */
  finish(runner: number, record: CellRecord): void {
    this.#done++
    this.#clock.finish(runner, workOf(record))
    const line = `${describeRecord(record)}\n`
    if (this.#bars) {
      this.#bars.all.log(line)
      this.#bars.overall.update(this.#done, { detail: this.#standing() })
    } else this.#output.write(`${this.#standing()}; ${line}`)
  }

  [Symbol.dispose](): void {
    // the lines that are still to be written
    this.#bars?.all.update()
    this.#bars?.all.stop()
  }
}
