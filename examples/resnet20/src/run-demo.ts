import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { InvalidArgumentError, MemoryError } from '@he-ml/ckks-core'
import { forwardApproximate, isCalibrated, type Model, type Tensor } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import type { Plan } from '@he-ml/pipeline'
import { classify } from './classify.ts'
import { type Comparison, compare, comparisonText, isStray, type Outcome } from './compare.ts'
import { learnRanges, makePlan } from './make-plan.ts'
import type { DemoOptions } from './options.ts'
import { loadPhotographs, type Photograph } from './photographs.ts'
import { duration, gigabytes, planText } from './plan-text.ts'
import type { StartBar } from './progress.ts'

/** What the demo works in. */
export interface Surroundings {
  readonly say: (line: string) => void
  readonly startBar: StartBar
  readonly signal: AbortSignal
  /** Makes the network where no file is named. */
  readonly compose?: () => Model
}

/** Images that ranges are learned from: one that leaves the range of a polynomial is lost, and those beside it. */
const CALIBRATION_IMAGES = { approximated: 4000, exact: 400 }

/**
 * The whole story: ranges, plan, keys, encrypted run, comparison.
 * @returns what encrypted and clear have in common; undefined after a plan alone
 */
export async function runDemo(options: DemoOptions, surroundings: Surroundings): Promise<Comparison | undefined> {
  const { say, signal } = surroundings
  const model = await networkOf(options, surroundings)
  const approximated = model.nodes.some(({ layer }) => isCalibrated(layer))
  const { samples = CALIBRATION_IMAGES[approximated ? 'approximated' : 'exact'] } = options
  const training = await loadPhotographs(options.data, 'train', samples)
  const test = await loadPhotographs(options.data, 'test', options.images)
  say(`${model.name}: ranges from ${training.length} training images`)
  const tensors = training.map(({ tensor }) => tensor)
  const calibration = await learnRanges(model, tensors, surroundings)
  say('  planning, which may take a minute')
  const bound = await makePlan(model, calibration, options)
  signal.throwIfAborted()
  for (const line of planText(bound.plan, options.memory)) say(`  ${line}`)
  if (options.planOnly) return undefined
  assertRoom(bound.plan, options.memory)

  const expected = await expectations(model, bound.model, { test, ...surroundings })
  const strays = expected.filter(({ clear, polynomial }) => isStray(clear) || isStray(polynomial)).length
  if (strays > 0)
    say(`note: ${strays} images leave the range of the network, and may spoil those they share ciphertexts with`)
  const images = test.map(({ tensor }) => tensor)
  const { logits, seconds, peakBytes } = await classify(bound, images, { ...options, ...surroundings })
  const comparison = compare(expected.map((outcome, i) => ({ ...outcome, encrypted: logits[i]!.data })))
  for (const line of comparisonText(comparison)) say(`  ${line}`)
  say(
    `  encrypted network ${duration(seconds.run)}, ${duration(seconds.run / images.length)} an image; keys ${duration(seconds.keys)}, ` +
      `encryption ${duration(seconds.encrypt)}, decryption ${duration(seconds.decrypt)}; the server held ${gigabytes(peakBytes)}`,
  )
  return comparison
}

/** What no coming and going of keys can help with, said before they are made. @throws MemoryError */
function assertRoom({ report }: Plan, memory: number): void {
  const least = report.memory.leanPeakBytes - report.keys.bytes
  if (least > memory)
    throw new MemoryError(
      `a run takes ${gigabytes(least)} beside its keys, ${gigabytes(memory)} are allowed: give more with --memory, or another --batch`,
    )
}

/** @throws InvalidArgumentError for a network that takes no photographs of CIFAR-10; as `importOnnx` */
async function networkOf({ model: file }: DemoOptions, { compose }: Surroundings): Promise<Model> {
  if (file === undefined) {
    if (compose) return compose()
    throw new InvalidArgumentError('which network? Give --model FILE, in ONNX, for images of 3 x 32 x 32')
  }
  const model = await importOnnx(await readFile(file), { name: basename(file).replace(/\.onnx$/i, '') })
  if (String(model.inputShape) !== '3,32,32')
    throw new InvalidArgumentError(`${file}: the network takes [${model.inputShape}], photographs are [3,32,32]`)
  return model
}

/** Logits in the clear. Networks with other than ten classes are compared, but not judged. */
async function expectations(
  model: Model,
  planned: Model,
  { test, startBar, signal }: Surroundings & { readonly test: readonly Photograph[] },
): Promise<Omit<Outcome, 'encrypted'>[]> {
  const approximated = planned.nodes.some(({ layer }) => isCalibrated(layer))
  const outcomes: Omit<Outcome, 'encrypted'>[] = []
  const bar = startBar('clear network')
  try {
    for (const { tensor, label } of test) {
      const clear = model.forward(tensor).data
      const polynomial = approximated ? polynomialLogits(planned, tensor) : clear
      outcomes.push({ clear, polynomial, ...(clear.length === 10 ? { label } : {}) })
      bar.update(outcomes.length / test.length)
      // signals come in between
      await setImmediate()
      signal.throwIfAborted()
    }
  } finally {
    bar.stop()
  }
  return outcomes
}

/** What the encrypted network computes, in the clear. */
const polynomialLogits = (planned: Model, image: Tensor): Float64Array =>
  planned.evaluate(image, ({ layer }, inputs) => forwardApproximate(layer, inputs)).data
