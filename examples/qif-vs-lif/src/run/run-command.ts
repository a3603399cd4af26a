/** `run`: plans, trains what is pending, records. */

import { countBar } from '@he-ml/example-train-spiking-lenet5/terminal'
import { createFloatKernels } from '@he-ml/float-kernels'
import type { Experiment } from '../experiments.ts'
import { type CellRunner, forkRunner } from './cell-runner.ts'
import { planRuns } from './plan-runs.ts'
import { runPending } from './run-pending.ts'
import { RunProgress } from './run-progress.ts'

export interface RunCommandOptions {
  readonly experiments: readonly Experiment[]
  readonly seeds: number
  /** Folder with MNIST. */
  readonly data: string
  readonly out: string
  readonly cache: string
  /** Threads of each run. */
  readonly threads: number
  /** Runs at once. */
  readonly parallel: number
  readonly signal: AbortSignal
}

/**
 * Everything that is not there yet.
 *
 * @returns the number of runs done now
 * @throws CancelledError when the signal fired; what is done stays recorded
 */
export async function runCommand(options: RunCommandOptions): Promise<number> {
  const { experiments, seeds, data, out, cache, threads, parallel, signal } = options
  const recording = countBar({ title: 'simulated recordings', output: process.stderr })
  const plans = await planRuns(experiments, {
    seeds,
    folder: data,
    out,
    cache,
    kernel: await kernelInUse(),
    signal,
    onProgress: recording.update,
  }).finally(recording.stop)
  signal.throwIfAborted()
  for (const { experiment, path, done, pending } of plans)
    process.stderr.write(`${experiment.name}: ${done.length} runs in ${path}, ${pending.length} to do\n`)
  const todo = plans.reduce((sum, { pending }) => sum + pending.length, 0)
  if (todo === 0) return 0
  const count = Math.min(parallel, todo)
  const runners: CellRunner[] = Array.from({ length: count }, () => forkRunner({ folder: data, cache, threads }))
  try {
    using progress = new RunProgress(plans)
    await runPending(plans, {
      runners,
      signal,
      onProgress: (runner, job, state) => progress.update(runner, job, state),
      onDone: (runner, record) => progress.finish(runner, record),
    })
  } finally {
    await Promise.all(runners.map((runner) => runner[Symbol.asyncDispose]()))
  }
  return todo
}

/** Instructions that the kernels use on this machine: the same in every worker. */
async function kernelInUse(): Promise<string> {
  await using kernels = createFloatKernels({ threads: 1 })
  return kernels.kernel
}
