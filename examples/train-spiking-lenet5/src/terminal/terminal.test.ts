import { PassThrough } from 'node:stream'
import type { TrainingProgress } from '@he-ml/snn-training'
import { describe, expect, it } from 'vitest'
import { countBar, type Output, percent, time, trainingBar } from './index.ts'

function listen(isTTY: boolean): { readonly output: Output; text(): string } {
  // the bar asks a terminal for its size and moves the cursor
  const output = Object.assign(new PassThrough(), { isTTY, columns: 200, rows: 50 })
  return { output, text: () => String(output.read() ?? '') }
}

const step: TrainingProgress = {
  epoch: 2,
  epochs: 12,
  step: 10,
  steps: 938,
  loss: 0.12345,
  accuracy: 0.9618,
  learningRate: 0.0018,
  secondsLeft: 600,
}
const last: TrainingProgress = {
  ...step,
  step: 938,
  finished: {
    epoch: 2,
    loss: 0.1,
    accuracy: 0.97,
    validation: { loss: 0.05, accuracy: 0.985, correct: 985, count: 1000 },
  },
}

describe('trainingBar', () => {
  it('draws a bar on a terminal, and leaves a line for the epoch', () => {
    const { output, text } = listen(true)
    const bar = trainingBar({ title: 'mnist', output })
    bar.update(step)
    bar.update({ ...step, step: 469 })
    bar.update(last)
    bar.stop()
    const shown = text()
    expect(shown).toMatch(/mnist {2}epoch 3\/12 \[-+\] loss 0\.1235 {2}96\.18 % {2}rate 1\.8e-3 {2}10 min left/)
    expect(shown).toContain(
      'epoch 3/12: loss 0.1000, accuracy 97.00 %; validation loss 0.0500, accuracy 98.50 %; rate 1.8e-3; 10 min left\n',
    )
  })
  it('writes plain lines elsewhere, but not one for each step', () => {
    const { output, text } = listen(false)
    const rare = trainingBar({ title: 'mnist', output })
    for (let i = 1; i < 900; i++) rare.update({ ...step, step: i })
    expect(text()).toBe('')
    rare.update({ ...last, epoch: 11 })
    expect(text()).toMatch(/^ {2}mnist {2}epoch 12\/12: .*rate 1\.8e-3\n$/)
    const often = trainingBar({ title: 'mnist', output, everySeconds: 0 })
    often.update(step)
    expect(text()).toBe(
      '  mnist  epoch 3/12, step 10 of 938: loss 0.1235, accuracy 96.18 %; rate 1.8e-3; 10 min left\n',
    )
  })
})

describe('countBar', () => {
  it('counts on a terminal and in lines', () => {
    const terminal = listen(true)
    const bar = countBar({ title: 'recordings', output: terminal.output })
    bar.update(64, 1000)
    bar.update(1000, 1000)
    bar.stop()
    expect(terminal.text()).toMatch(/recordings \[=*-*\] 1000 of 1000/)
    const file = listen(false)
    const lines = countBar({ title: 'recordings', output: file.output })
    lines.update(64, 1000)
    lines.update(1000, 1000)
    expect(file.text()).toBe('  recordings: 1000 of 1000\n')
  })
})

describe('numbers', () => {
  it.each([
    [0, '0 s'],
    [98.6, '99 s'],
    [120, '2 min'],
    [6300, '1 h 45 min'],
    [Number.NaN, '?'],
  ])('%d seconds are %s', (seconds, text) => expect(time(seconds)).toBe(text))
  it('shares are per cent', () => expect(percent(0.98765)).toBe('98.77 %'))
})
