import { PassThrough } from 'node:stream'
import type { TrainingProgress } from '@he-ml/snn-training'
import { describe, expect, it } from 'vitest'
import { EXECUTION, experimentNamed, jobsOf, recordsOf } from '../records.test-helper.ts'
import type { Plan } from './plan-runs.ts'
import { describeRecord, RunProgress, shareDone, WorkClock } from './run-progress.ts'

const jobs = jobsOf('neurons-mnist', 2)
const records = recordsOf(jobs, () => 0.98)
const experiment = experimentNamed('neurons-mnist')
const request = { data: experiment.data, trainSamples: 1000, timeSteps: 4 }
const plan: Plan = { experiment, request, path: 'x.jsonl', done: records.slice(0, 1), pending: jobs.slice(1) }
const state: TrainingProgress = {
  epoch: 1,
  epochs: 4,
  step: 5,
  steps: 10,
  loss: 0.25,
  accuracy: 0.9,
  learningRate: 0.001,
  secondsLeft: 9,
}

function listen(isTTY: boolean) {
  // the bars ask a terminal for its size and move the cursor
  const terminal = {
    isTTY,
    columns: 200,
    rows: 50,
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
  }
  const output = Object.assign(new PassThrough(), terminal)
  return { output, text: () => String(output.read() ?? '') }
}

describe('WorkClock', () => {
  it('tells the time left from the work done, running runs included', () => {
    let now = 0
    const clock = new WorkClock(100, () => now)
    expect(clock.secondsLeft).toBeUndefined()
    now = 10_000
    clock.update(0, 10)
    clock.update(1, 10)
    expect(clock.secondsLeft).toBe(40)
    clock.finish(0, 30)
    expect(clock.secondsLeft).toBe(15)
    clock.finish(1, 70)
    expect(clock.secondsLeft).toBe(0)
  })
})

describe('RunProgress', () => {
  it('counts in lines where there is no terminal', () => {
    const { output, text } = listen(false)
    using progress = new RunProgress([plan], output)
    progress.update(0, jobs[1]!, state)
    expect(text()).toBe('')
    progress.finish(0, records[1]!)
    expect(text()).toMatch(/^2 of 4, \d+ s left; neurons-mnist: qif, analytic, seed 1: 98\.00 %, 13 s\n$/)
  })
  it('draws a bar for all runs and one for each on a terminal', () => {
    const { output, text } = listen(true)
    const progress = new RunProgress([plan], output)
    progress.update(0, jobs[1]!, state)
    progress.update(1, jobs[2]!, { ...state, epoch: 3 })
    progress.finish(0, records[1]!)
    progress[Symbol.dispose]()
    const shown = text()
    expect(shown).toMatch(/all runs \[=+ +\] 2 of 4, \d+ s left/)
    expect(shown).toMatch(/run 1 \[=+ +\] neurons-mnist: qif, analytic, seed 1: epoch 2 of 4, loss 0\.250, training 90/)
    expect(shown).toMatch(/run 2 \[=+ +\] .*epoch 4 of 4/)
    expect(shown).toContain('seed 1: 98.00 %, 13 s')
  })
  it('says that a run diverged', () => {
    const record = {
      ...records[0]!,
      result: { kind: 'diverged', message: 'no finite loss' },
      execution: EXECUTION,
    } as const
    expect(describeRecord(record)).toBe('neurons-mnist: lif, analytic, seed 1: diverged (no finite loss), 13 s')
  })
  it('knows how much of a run is done', () => {
    expect(shareDone(state)).toBe(0.375)
    expect(shareDone({ ...state, epoch: 3, step: 10, finished: { epoch: 3, loss: 0, accuracy: 1 } })).toBe(1)
  })
})
