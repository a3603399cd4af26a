import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type CostModel, MemoryError } from '@he-ml/ckks-core'
import { duration, gigabytes } from '@he-ml/example-resnet20/plan-text'
import { forwardApproximate, type Model } from '@he-ml/model'
import type { BoundPlan, Plan } from '@he-ml/pipeline'
import { type Classified, classify } from './classify.ts'
import { argmax, type Comparison, compare, comparisonText, type Outcome } from './compare.ts'
import { type LabelledInput, loadInputs } from './inputs.ts'
import { lookInside } from './look/look-inside.ts'
import { lookText } from './look/look-text.ts'
import { learnRanges, makePlan } from './make-plan.ts'
import { loadNetwork } from './model-file.ts'
import type { DemoOptions } from './options.ts'
import { drawLook } from './picture/pictures.ts'
import { planText } from './plan-text.ts'
import { type StartBar, stopping } from './progress.ts'

/** What the demo works in. */
export interface Surroundings {
  readonly say: (line: string) => void
  readonly startBar: StartBar
  readonly signal: AbortSignal
  /** What seconds are planned with; default: those of another machine. */
  readonly costModel?: CostModel
}

/**
 * The whole story: ranges, plan, keys, encrypted runs, comparison, a look into one of them.
 * @returns what encrypted and clear have in common; undefined after a plan alone
 */
export async function runDemo(options: DemoOptions, surroundings: Surroundings): Promise<Comparison | undefined> {
  const { say, signal, costModel } = surroundings
  const { name, model, step } = await loadNetwork(options.model, options.step)
  const { kind, training, test } = await loadInputs(model, options, surroundings)
  say(`${name}, ${model.steps} time steps, ${step} spikes: ranges from ${training.length} training ${kind}`)
  const calibration = await learnRanges(model, training, surroundings)
  say('  planning, which may take a minute')
  const bound = await makePlan(model, calibration, { batch: options.batch, costModel })
  signal.throwIfAborted()
  for (const line of planText(bound.plan, options.memory)) say(`  ${line}`)
  if (options.planOnly) return undefined
  assertRoom(bound.plan, options.memory)

  const expected = await expectations(model, bound, test, surroundings)
  const tensors = test.map(({ tensor }) => tensor)
  const classified = await classify(bound, tensors, {
    ...{ ...options, ...surroundings },
    onAnswer: (i, { data }, seconds) =>
      say(`  ${answerText(i, { ...expected[i]!, encrypted: data })}; ${duration(seconds)}`),
  })
  const comparison = compare(expected.map((outcome, i) => ({ ...outcome, encrypted: classified.scores[i]!.data })))
  for (const line of comparisonText(comparison)) say(`  ${line}`)
  say(`  ${costText(classified, tensors.length)}`)
  if (options.look) await look(name, { bound, model, input: test[0]! }, { ...options, ...surroundings })
  return comparison
}

function answerText(i: number, { label, encrypted, clear }: Outcome): string {
  return `input ${i + 1}: a ${label}, encrypted ${argmax(encrypted)}, clear ${argmax(clear)}`
}

function costText({ seconds, peakBytes }: Classified, inputs: number): string {
  const { keys, load, encrypt, run, decrypt } = seconds
  return (
    `encrypted network ${duration(run / inputs)} an input; keys ${duration(keys)}, reading them and encoding weights ${duration(load)}, ` +
    `encryption ${duration(encrypt / inputs)} and decryption ${duration(decrypt / inputs)} an input; the server held ${gigabytes(peakBytes)}`
  )
}

interface Looked {
  readonly bound: BoundPlan
  readonly model: Model
  readonly input: LabelledInput
}

/** Looks into a run of one input, says what it finds and draws it. */
async function look(name: string, { bound, model, input }: Looked, options: DemoOptions & Surroundings): Promise<void> {
  const { say, out } = options
  say('a look into a run of the first input, with keys made for it')
  const layers = await lookInside(bound, model, input.tensor, options)
  const { decisionMargin } = bound.plan.report
  for (const line of lookText(layers, decisionMargin)) say(`  ${line}`)
  const subject = { name, label: input.label, ...(decisionMargin === undefined ? {} : { decisionMargin }) }
  await mkdir(out, { recursive: true })
  for (const [file, svg] of Object.entries(await drawLook(layers, subject))) {
    await writeFile(join(out, file), svg)
    say(`  drawn: ${join(out, file)}`)
  }
}

/** What no coming and going of keys can help with, said before they are made. @throws MemoryError */
function assertRoom({ report }: Plan, memory: number): void {
  const least = report.memory.leanPeakBytes - report.keys.bytes
  if (least > memory)
    throw new MemoryError(
      `a run takes ${gigabytes(least)} beside its keys, ${gigabytes(memory)} are allowed: give more with --memory, or another --batch`,
    )
}

/** Scores in the clear: of the network as it was trained, and with soft spikes where encrypted ones are soft. */
async function expectations(
  model: Model,
  bound: BoundPlan,
  test: readonly LabelledInput[],
  { startBar, signal }: Surroundings,
): Promise<Omit<Outcome, 'encrypted'>[]> {
  const outcomes: Omit<Outcome, 'encrypted'>[] = []
  using bar = stopping(startBar('clear network'))
  for (const { tensor, label } of test) {
    const clear = model.forward(tensor).data
    const polynomial = bound.plan.functional
      ? {}
      : { polynomial: bound.model.evaluate(tensor, ({ layer }, inputs) => forwardApproximate(layer, inputs)).data }
    outcomes.push({ label, clear, ...polynomial })
    bar.update(outcomes.length / test.length)
    // signals come in between
    await setImmediate()
    signal.throwIfAborted()
  }
  return outcomes
}
