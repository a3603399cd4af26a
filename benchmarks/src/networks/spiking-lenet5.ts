/**
 * Spiking LeNet-5 on encrypted digits or recordings of them, one at a time or a batch at once, its neurons decided exactly during a
 * bootstrap or softly by polynomials. Times are the server's, from the bytes of the input to the bytes of the result. Decisions are
 * compared with the clear network's; with exact neurons every spike should be the same, and then the results are.
 */
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { kernels } from '@he-ml/ckks-native'
import { machineCostModel, measureMachine } from '@he-ml/ckks-native/client'
import type { Model } from '@he-ml/model'
import { type BoundPlan, compileAndBind, fit, simulate } from '@he-ml/pipeline'
import { define } from '../benchmark.ts'
import { choice, positive, wholeNumber } from '../option-types.ts'
import { spikingModel } from '../places.ts'
import { progress } from '../progress.ts'
import { median } from '../statistics.ts'
import { type Digit, loadDigits, loadModel, type Method, mnistFolder, PIXELS } from './digits.ts'
import { EncryptedRun, type InferenceResult } from './encrypted-run.ts'
import { accuracyPercent, agreementPercent, errorBits } from './logits.ts'
import { loadRecordings } from './recordings.ts'
import { serverRows } from './server-rows.ts'
import { spikesInside } from './spikes-inside.ts'

interface Options {
  readonly data?: string
  readonly model?: string
  readonly set: 'mnist' | 'nmnist'
  readonly method: Method
  readonly neuron: 'lif' | 'qif'
  readonly timeSteps: number
  readonly batch: number
  readonly images: number
  readonly inside: number
  readonly simulate: number
  readonly degree: number
  readonly threads: number
  readonly calibrationImages?: number
}

/** Results that differ by less are those of the same spikes. */
const SAME = 0.01
/** Training inputs that tell where membranes lie, if nothing else is said. */
const CALIBRATION = { mnist: 2000, nmnist: 300 } as const

export const spikingLenet5 = define<Options>({
  name: 'spiking-lenet5',
  description: 'spiking LeNet-5 on encrypted digits or recordings, one or a batch: time, agreement, margin',
  configure: (command) =>
    void command
      .option('--data <folder>', 'MNIST (default: the shared data)')
      .option('--model <file>', "description of a spiking network (default: the example's for neuron and time steps)")
      .option(
        '--set <name>',
        'mnist, or nmnist: simulated recordings of its digits',
        choice('mnist', 'nmnist'),
        'mnist',
      )
      .option('--method <how>', 'functional or polynomial', choice('functional', 'polynomial'), 'functional')
      .option('--neuron <kind>', 'lif or qif', choice('lif', 'qif'), 'lif')
      .option('--time-steps <n>', '2 or 4; 5 for recordings', positive, 2)
      .option('--batch <n>', 'inputs at once; above 1 a power of two', positive, 1)
      .option(
        '--images <n>',
        'test inputs; a batch beyond them goes on with training inputs; 0: none encrypted',
        wholeNumber,
        20,
      )
      .option('--inside <n>', 'inputs whose every spike is decrypted and compared, by themselves', wholeNumber, 0)
      .option(
        '--simulate <n>',
        'test inputs that go through the plan in the clear, before any key exists',
        wholeNumber,
        0,
      )
      .option('--degree <n>', 'of polynomial steps', positive, 63)
      .option('--threads <n>', 'threads of the server and the client', positive, availableParallelism())
      .option('--calibration-images <n>', 'training inputs that tell where membranes lie', positive),
  async run(options, emit) {
    const { set, method, neuron, timeSteps, batch, threads } = options
    if (!Number.isInteger(Math.log2(batch)))
      throw new InvalidArgumentError(`--batch: expected a power of two, got ${batch}`)
    const trained = `${set}-${neuron}-t${timeSteps}${method === 'functional' ? '-grid' : ''}.json`
    const file = options.model ?? spikingModel(trained)
    const name = `${set}-${neuron}`
    const model = await loadModel(file, name, method)
    const { inputs, tests, training, more } = await loadInputs(options)
    progress(`${name}: planning`)
    const costModel = machineCostModel(await measureMachine({ threads, logN: 15 }))
    const started = performance.now()
    const calibration = await fit(
      model,
      training.map(({ tensor }) => tensor),
    )
    const bound = await compileAndBind(model, {
      calibration,
      activation: { margin: 1.3, degree: options.degree },
      ...(batch > 1 ? { batch, packing: 'batch' } : {}),
      costModel,
    })
    const planSeconds = (performance.now() - started) / 1000
    const { report } = bound.plan
    const params = {
      method,
      timeSteps,
      batch,
      model: basename(file),
      images: inputs.length,
      logN: report.logN,
      threads,
      kernel: kernels().active,
    }
    const row = (metric: string, value: number, unit: string, more: Record<string, string> = {}) =>
      emit({ name, params: { ...params, ...more }, metric, value, unit })
    row('plan', planSeconds, 's')
    for (const [metric, value, unit] of planned(bound, batch)) row(metric, value, unit)
    for (const [metric, value, unit, of] of await simulated(bound, model, more))
      row(metric, value, unit, { of, simulated: `${more.length}` })
    if (inputs.length === 0) return

    {
      await using run = await EncryptedRun.start(bound, file, threads)
      const keys = await run.loadKeys()
      row('encode-weights', await run.prepare(), 's')
      const results: InferenceResult[] = []
      for (let from = 0; from < inputs.length; from += batch) {
        results.push(await run.infer(inputs.slice(from, from + batch).map(({ tensor }) => tensor)))
        progress(
          `${name}: ${Math.min(inputs.length, from + batch)} of ${inputs.length}: ${results.at(-1)!.seconds.toFixed(2)} s`,
        )
      }
      for (const [metric, value, unit] of measured(results, inputs.length, batch)) row(metric, value, unit)
      for (const r of serverRows(name, params, keys, await run.usage())) emit(r)

      const clear = inputs.map(({ tensor }) => model.forward(tensor).data)
      for (const [metric, value, unit, of] of compared(results, clear, inputs.slice(0, tests)))
        row(metric, value, unit, of === undefined ? {} : { of })
    }
    // both sides in this process, the other server's memory given back
    const seen = inputs.slice(0, options.inside).map(({ tensor }) => tensor)
    if (seen.length === 0) return
    for (const [metric, value, unit, more] of await spikesInside(bound, model, seen, threads))
      row(metric, value, unit, { ...more, inside: `${seen.length}` })
  },
})

interface Inputs {
  readonly inputs: readonly Digit[]
  /** How many of them, from the first, are test inputs. */
  readonly tests: number
  /** Test inputs for the simulation, the first ones too. */
  readonly more: readonly Digit[]
  readonly training: readonly Digit[]
}

/** Test inputs, after them those of the training set that a batch has room for; and others to learn from. */
async function loadInputs({
  data,
  set,
  images,
  batch,
  timeSteps,
  simulate: simulated,
  ...options
}: Options): Promise<Inputs> {
  const folder = mnistFolder(data)
  const { calibrationImages = CALIBRATION[set] } = options
  const load = async (split: 'train' | 'test', count: number): Promise<Digit[]> =>
    count === 0
      ? []
      : set === 'mnist'
        ? loadDigits(folder, split, count, PIXELS)
        : loadRecordings(folder, split === 'test' ? 'test' : 'training', count, timeSteps)
  const all = await load('test', Math.max(images, simulated))
  const test = all.slice(0, images)
  const rest = Math.max(0, (batch > 1 ? images : 0) - test.length)
  const training = await load('train', calibrationImages + rest)
  return {
    inputs: [...test, ...training.slice(calibrationImages)],
    tests: test.length,
    more: all.slice(0, simulated),
    training: training.slice(0, calibrationImages),
  }
}

type Figure = readonly [metric: string, value: number, unit: string]

function planned({ plan: { report } }: BoundPlan, batch: number): Figure[] {
  return [
    batch > 1 ? ['amortised-planned', report.seconds / batch, 's per input'] : ['latency-planned', report.seconds, 's'],
    ['peak-planned', report.memory.peakBytes / 1e9, 'GB'],
    ['bits-planned', report.precisionBits, 'bits'],
    ...(report.decisionMargin === undefined ? [] : [['margin', report.decisionMargin, 'sigmas'] as const]),
    ['failure-probability', report.failureProbability, 'per run'],
  ]
}

/** Of inputs in the clear: the network itself, and as planned. */
async function simulated(
  bound: BoundPlan,
  model: Model,
  inputs: readonly Digit[],
): Promise<(readonly [...Figure, of: string])[]> {
  if (inputs.length === 0) return []
  const { agreement, accuracy, undecided, outputs } = await simulate(
    bound,
    model,
    inputs.map(({ tensor }) => tensor),
    { labels: inputs.map(({ label }) => label) },
  )
  return [
    ['accuracy', 100 * accuracy!.exact, '%', 'clear'],
    ['accuracy', 100 * accuracy!.planned, '%', 'planned'],
    ['agreement', 100 * agreement!, '%', 'planned'],
    ['undecided', undecided.length, 'inputs', 'planned'],
    ['bits', Math.min(...outputs.polynomialBits), 'bits', 'polynomials'],
  ]
}

function measured(results: readonly InferenceResult[], inputs: number, batch: number): Figure[] {
  const total = (pick: (r: InferenceResult) => number) => results.reduce((sum, r) => sum + pick(r), 0)
  const cores: Figure = ['processor-time', total((r) => r.processorSeconds) / inputs, 's per input']
  if (batch > 1)
    return [
      ['amortised', total((r) => r.seconds) / inputs, 's per input'],
      cores,
      ['latency', total((r) => r.seconds) / results.length, 's'],
      ['encrypt', total((r) => r.encryptSeconds) / inputs, 's per input'],
      ['decrypt', total((r) => r.decryptSeconds) / inputs, 's per input'],
    ]
  const warm = results.length > 1 ? results.slice(1) : results
  return [['latency-cold', results[0]!.seconds, 's'], ['latency', median(warm.map((r) => r.seconds)), 's'], cores]
}

/** @param tests those of the inputs that the network was not trained on, from the first */
function compared(
  results: readonly InferenceResult[],
  clear: readonly Float64Array[],
  tests: readonly Digit[],
): (readonly [...Figure, of?: string])[] {
  const encrypted = results.flatMap((r) => r.logits)
  const labels = tests.map(({ label }) => label)
  const alike = encrypted.filter((logits, i) => logits.every((x, k) => Math.abs(x - clear[i]![k]!) < SAME))
  return [
    ['accuracy', accuracyPercent(encrypted.slice(0, tests.length), labels), '%', 'encrypted'],
    ['accuracy', accuracyPercent(clear.slice(0, tests.length), labels), '%', 'clear'],
    ['agreement', agreementPercent(encrypted, clear), '%'],
    ['same-results', (100 * alike.length) / encrypted.length, '%'],
    ['bits-measured', errorBits(encrypted, clear), 'bits'],
  ]
}
