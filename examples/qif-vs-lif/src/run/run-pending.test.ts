import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancelledError, HeMlError } from '@he-ml/ckks-core'
import { afterAll, describe, expect, it } from 'vitest'
import type { Job } from '../cells/grid.ts'
import type { CellRecord } from '../cells/record.ts'
import { readRecords } from '../cells/results-file.ts'
import { experimentNamed, jobsOf, trainedResult } from '../records.test-helper.ts'
import type { CellRunner } from './cell-runner.ts'
import type { Plan } from './plan-runs.ts'
import { runPending, workOf } from './run-pending.ts'

const folder = mkdtempSync(join(tmpdir(), 'pending-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newPath = () => join(folder, `${files++}.jsonl`)

const jobs = jobsOf('windows-mnist', 2)
const experiment = experimentNamed('windows-mnist')
const request = { data: experiment.data, trainSamples: experiment.trainSamples, timeSteps: experiment.timeSteps }

/** The plan for what a file holds, as planRuns makes it. */
async function planFor(path: string): Promise<Plan> {
  const known = new Map((await readRecords(path)).map((record) => [record.hash, record]))
  return {
    experiment,
    request,
    path,
    done: jobs.flatMap(({ hash }) => known.get(hash) ?? []),
    pending: jobs.filter(({ hash }) => !known.has(hash)),
  }
}

/** A runner whose results follow from the settings; `before` may fail, wait, or end it all. */
function fakeRunner(before: (job: Job, signal: AbortSignal) => unknown = () => undefined): CellRunner {
  return {
    async run(job, _request, { signal, onProgress }) {
      await before(job, signal)
      if (signal.aborted) throw new CancelledError('runs: cancelled')
      const state = { epoch: 0, epochs: 2, step: 1, steps: 2, loss: 1, accuracy: 0.5, learningRate: 0, secondsLeft: 1 }
      onProgress(state)
      const accuracy = 0.9 + Number.parseInt(job.hash.slice(0, 4), 16) / 1e6
      return { result: trainedResult(accuracy), seconds: 1 }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
const twoRunners = (before?: Parameters<typeof fakeRunner>[0]) => [fakeRunner(before), fakeRunner(before)]

/** What must not depend on how often a run was stopped: everything but the execution, in the order of the grid. */
const lasting = (records: readonly CellRecord[]) =>
  records.map(({ execution: _, ...rest }) => JSON.stringify(rest)).sort((a, b) => (a < b ? -1 : 1))

async function undisturbed(): Promise<string[]> {
  const path = newPath()
  await runPending([await planFor(path)], { runners: [fakeRunner()] })
  return lasting(await readRecords(path))
}

describe('runPending', () => {
  it('does every run once, and on two runners the same', async () => {
    const path = newPath()
    const done: CellRecord[] = []
    const seen = new Set<number>()
    await runPending([await planFor(path)], {
      runners: twoRunners(),
      onDone: (_, record) => done.push(record),
      onProgress: (runner) => seen.add(runner),
    })
    const records = await readRecords(path)
    expect(done).toEqual(records)
    expect(records.length).toBe(jobs.length)
    expect(seen).toEqual(new Set([0, 1]))
    expect(lasting(records)).toEqual(await undisturbed())
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBe(jobs.length)
  })

  it('goes on where it was cancelled, and ends with the same records', async () => {
    const path = newPath()
    for (const stopAfter of [3, 8]) {
      const cancel = new AbortController()
      let started = 0
      const runners = twoRunners((_, signal) => {
        if (++started > stopAfter) cancel.abort()
        return signal.aborted
      })
      const running = runPending([await planFor(path)], { runners, signal: cancel.signal })
      await expect(running).rejects.toThrow(CancelledError)
    }
    const before = await readRecords(path)
    expect(before.length).toBeGreaterThan(3)
    expect(before.length).toBeLessThan(jobs.length)
    let again = 0
    await runPending([await planFor(path)], { runners: twoRunners(() => again++) })
    expect(again).toBe(jobs.length - before.length)
    expect(lasting(await readRecords(path))).toEqual(await undisturbed())
  })

  it('goes on after a line that a kill left unfinished', async () => {
    const path = newPath()
    await runPending([await planFor(path)], { runners: [fakeRunner()] })
    const whole = readFileSync(path, 'utf8')
    const lines = whole.split('\n')
    writeFileSync(path, `${lines.slice(0, 5).join('\n')}\n${lines[5]!.slice(0, 77)}`)
    await runPending([await planFor(path)], { runners: [fakeRunner()] })
    expect(lasting(await readRecords(path))).toEqual(await undisturbed())
  })

  it('stops everybody where one fails, and says why', async () => {
    const path = newPath()
    const failing = fakeRunner((job) => {
      if (job === jobs[4]) throw new HeMlError('Worker', 'the process is gone')
    })
    // waits until it is told to stop, after a few runs
    let runs = 0
    const other = fakeRunner((_, signal) =>
      ++runs < 3 ? undefined : new Promise((resolve) => signal.addEventListener('abort', resolve)),
    )
    const running = runPending([await planFor(path)], { runners: [failing, other] })
    await expect(running).rejects.toThrow('the process is gone')
    const recorded = (await readRecords(path)).length
    expect(recorded).toBeGreaterThan(0)
    expect(recorded).toBeLessThan(jobs.length)
  })

  it('has nothing to do where everything is done', async () => {
    const path = newPath()
    await runPending([await planFor(path)], { runners: [fakeRunner()] })
    const before = readFileSync(path, 'utf8')
    await runPending([await planFor(path)], { runners: [fakeRunner(() => expect.unreachable())] })
    expect(readFileSync(path, 'utf8')).toBe(before)
  })
})

describe('workOf', () => {
  it('grows with epochs, samples, time steps and pixels', () => {
    const [job] = jobs
    const work = workOf(job!)
    const twice = { ...job!.settings.recipe, epochs: 2 * job!.settings.recipe.epochs }
    expect(workOf({ settings: { ...job!.settings, recipe: twice } })).toBe(2 * work)
    expect(workOf({ settings: { ...job!.settings, timeSteps: 8 } })).toBe(2 * work)
    expect(workOf(jobsOf('windows-nmnist', 1)[0]!)).toBeGreaterThan(work)
  })
})
