/** Does what a plan leaves to do, on several runners at once, and records each run as soon as it is done. */
import { CancelledError } from '@he-ml/ckks-core'
import type { TrainingProgress } from '@he-ml/snn-training'
import type { Job } from '../cells/grid.ts'
import type { CellRecord } from '../cells/record.ts'
import { appendRecord, dropUnfinishedLine } from '../cells/results-file.ts'
import type { CellRunner } from './cell-runner.ts'
import { describeMachine } from './describe-machine.ts'
import type { Plan } from './plan-runs.ts'

export interface RunPendingOptions {
  /** As many runs are done at once. */
  readonly runners: readonly CellRunner[]
  readonly onProgress?: (runner: number, job: Job, progress: TrainingProgress) => void
  readonly onDone?: (runner: number, record: CellRecord) => void
  readonly signal?: AbortSignal
}

/** A rough measure of a run's work: pixels that the network looks at. */
export function workOf({ settings }: Pick<Job, 'settings'>): number {
  const { data, timeSteps, inputShape, recipe } = settings
  const frame = inputShape.reduce((product, side) => product * side, 1)
  return recipe.epochs * (data.training + data.test / 3) * timeSteps * frame
}

/**
 * Runs everything pending. Runs that are done stay recorded whatever happens to the others.
 *
 * @throws CancelledError when the signal fired
 * @throws what the first failing run throws, once the others have stopped
 */
export async function runPending(plans: readonly Plan[], options: RunPendingOptions): Promise<void> {
  const queue = plans.flatMap((plan) => plan.pending.map((job) => ({ plan, job })))
  if (queue.length === 0) return
  for (const { path } of plans) await dropUnfinishedLine(path)
  const machine = describeMachine()
  const { runners, onProgress, onDone, signal } = options
  const failing = new AbortController()
  const stop = signal ? AbortSignal.any([signal, failing.signal]) : failing.signal
  // lines must not mix, so records are written one after the other
  let written: Promise<void> = Promise.resolve()
  const work = async (runner: CellRunner, index: number) => {
    for (let next = queue.shift(); next && !stop.aborted; next = queue.shift()) {
      const { plan, job } = next
      const { result, seconds } = await runner.run(job, plan.request, {
        onProgress: (progress) => onProgress?.(index, job, progress),
        signal: stop,
      })
      const execution = { ...machine, seconds: Number(seconds.toFixed(2)), date: new Date().toISOString() }
      const record: CellRecord = { version: 1, ...job, result, execution }
      written = written.then(() => appendRecord(plan.path, record))
      await written
      onDone?.(index, record)
    }
  }
  const outcomes = await Promise.allSettled(
    runners.map((runner, index) =>
      work(runner, index).catch((error: unknown) => {
        failing.abort(error)
        throw error
      }),
    ),
  )
  if (signal?.aborted) throw new CancelledError('runs: cancelled', { cause: signal.reason })
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as unknown)
  // those that were stopped because another one failed say nothing of the cause
  if (failed.length > 0) throw failing.signal.reason
}
