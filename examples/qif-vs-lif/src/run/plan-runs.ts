/** What there is to do: the grids of the experiments, less what their files already hold. */
import { join } from 'node:path'
import { gridOf, inputShapeOf, type Job } from '../cells/grid.ts'
import type { CellRecord } from '../cells/record.ts'
import { readRecords, requireBudget } from '../cells/results-file.ts'
import { budgetOf } from '../cells/settings.ts'
import type { Experiment } from '../experiments.ts'
import { type DataOptions, type DataRequest, dataDigest, prepareData } from './prepare-data.ts'

/** An experiment with its runs, done and to do. */
export interface Plan {
  readonly experiment: Experiment
  readonly request: DataRequest
  /** Where results go. */
  readonly path: string
  readonly done: readonly CellRecord[]
  readonly pending: readonly Job[]
}

export interface PlanOptions extends DataOptions {
  readonly seeds: number
  /** Folder of results. */
  readonly out: string
  /** Instructions of the kernels. */
  readonly kernel: string
}

/** The file of an experiment's results. */
export const resultsPath = (out: string, experiment: string): string => join(out, `${experiment}.jsonl`)

/**
 * Reads data and results.
 *
 * @throws ParameterMismatchError where a file holds runs of another budget
 * @throws what reading data and results throws
 */
export async function planRuns(experiments: readonly Experiment[], options: PlanOptions): Promise<Plan[]> {
  const digests = new Map<string, { readonly data: CellRecord['settings']['data'] }>()
  const plans: Plan[] = []
  for (const experiment of experiments) {
    const { name, data, trainSamples, timeSteps } = experiment
    const request = { data, trainSamples, timeSteps }
    const key = JSON.stringify(request)
    if (!digests.has(key)) digests.set(key, { data: await describeData(request, options) })
    const surroundings = { ...digests.get(key)!, inputShape: inputShapeOf(data), kernel: options.kernel }
    const jobs = gridOf(experiment, options.seeds, surroundings)
    const path = resultsPath(options.out, name)
    const records = await readRecords(path)
    requireBudget(path, records, budgetOf(jobs[0]!.settings))
    const known = new Map(records.map((record) => [record.hash, record]))
    plans.push({
      experiment,
      request,
      path,
      done: jobs.flatMap(({ hash }) => known.get(hash) ?? []),
      pending: jobs.filter(({ hash }) => !known.has(hash)),
    })
  }
  return plans
}

async function describeData(request: DataRequest, options: DataOptions): Promise<CellRecord['settings']['data']> {
  const digits = await prepareData(request, options)
  return {
    name: request.data,
    training: digits.training.count,
    test: digits.test.count,
    digest: dataDigest(digits),
  }
}
