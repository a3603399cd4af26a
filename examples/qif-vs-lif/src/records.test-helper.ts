/** Records of runs that never were, for tests of what is made of them. */

import { NEURONS } from '@he-ml/example-train-spiking-lenet5/network'
import { gridOf, type Job } from './cells/grid.ts'
import type { CellRecord, TrainedResult } from './cells/record.ts'
import { EXPERIMENTS, type Experiment, withBudget } from './experiments.ts'

export const experimentNamed = (name: string): Experiment => EXPERIMENTS.find((one) => one.name === name)!

const DATA = { training: 1000, test: 5000, digest: '0123456789abcdef' }

/** The grid of a known experiment with two neurons, as if on some data. */
export function jobsOf(name: string, seeds: number, epochs = 2): Job[] {
  const experiment = withBudget({ ...experimentNamed(name), neurons: NEURONS }, { epochs, trainSamples: DATA.training })
  return gridOf(experiment, seeds, {
    data: { ...DATA, name: experiment.data },
    inputShape: experiment.data === 'mnist' ? [1, 28, 28] : [2, 34, 34],
    kernel: 'scalar',
  })
}

export const EXECUTION: CellRecord['execution'] = {
  seconds: 12.5,
  date: '2026-01-02T03:04:05.000Z',
  cpu: 'some processor',
  cores: 2,
  node: 'v20.0.0',
  commit: '0123456789ab',
}

/** What a run of this test accuracy would have recorded. */
export function trainedResult(accuracy: number, epochs = 2): TrainedResult {
  const { test: count } = DATA
  const at = (epoch: number) => {
    const share = accuracy - 0.1 * (epochs - 1 - epoch)
    return {
      epoch,
      loss: 1 - share + 0.1,
      accuracy: share,
      validation: { loss: 1 - share, accuracy: share, correct: Math.round(count * share), count },
    }
  }
  const history = Array.from({ length: epochs }, (_, epoch) => at(epoch))
  const firingRates = { neurons1: 0.1, neurons2: 0.2 }
  const { loss, validation } = history.at(-1)!
  return {
    kind: 'trained',
    accuracy,
    correct: validation.correct,
    count,
    testLoss: validation.loss,
    loss,
    history,
    firingRates,
  }
}

/** A record of every job, the accuracy as given. */
export function recordsOf(jobs: readonly Job[], accuracy: (job: Job) => number): CellRecord[] {
  return jobs.map((job) => ({
    version: 1,
    ...job,
    result: trainedResult(accuracy(job), job.settings.recipe.epochs),
    execution: EXECUTION,
  }))
}
