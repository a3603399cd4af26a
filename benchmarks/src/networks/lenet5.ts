/**
 * ReLU LeNet-5 on one encrypted digit at a time. Latency is the server's, from the bytes of the input to the bytes of the
 * result. The decisions are compared with the clear network of the same polynomials (what encryption costs) and with the
 * exact ReLU network (what encryption and polynomials cost together).
 */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { kernels } from '@he-ml/ckks-native'
import type { Model } from '@he-ml/model'
import { type Calibration, compileAndBind, fit, parseCalibration } from '@he-ml/pipeline'
import { define } from '../benchmark.ts'
import { positive } from '../option-types.ts'
import { exampleModel, sharedPath } from '../places.ts'
import { median } from '../statistics.ts'
import { approximateForward } from './approximate-forward.ts'
import { loadDigits, loadModel, mnistFolder } from './digits.ts'
import { EncryptedRun, type InferenceResult } from './encrypted-run.ts'
import { accuracyPercent, agreementPercent, logitsBits } from './logits.ts'
import { serverRows } from './server-rows.ts'

interface Options {
  readonly data?: string
  readonly model?: string
  readonly images: number
  readonly degree: number
  readonly scaleBits: number
  readonly threads: number
  readonly calibrationImages: number
}

const NAME = 'lenet5-relu'
const OWN_MODEL = 'lenet5-relu.onnx'
const OWN_CALIBRATION = 'lenet5-relu.calibration.json'
/** The example's choices: docs/notes/lenet5-relu-degree.md. */
const ACTIVATION = { margin: 1.25, method: 'least-squares' } as const

export const lenet5 = define<Options>({
  name: 'lenet5',
  description: 'ReLU LeNet-5, one encrypted MNIST digit at a time: latency, memory, agreement',
  configure: (command) =>
    void command
      .option('--data <folder>', 'MNIST (default: the shared data)')
      .option(
        '--model <file>',
        'ONNX network (default: the shared lenet5-mnist-relu.onnx, else the one of examples/lenet5)',
      )
      .option('--images <n>', 'test digits', positive, 100)
      .option('--degree <n>', 'degree of the ReLU polynomials', positive, 15)
      .option('--scale-bits <n>', 'bits of the scale', positive, 31)
      .option('--threads <n>', 'threads of the server and the client', positive, availableParallelism())
      .option('--calibration-images <n>', 'training digits that set the ranges of the polynomials', positive, 5000),
  async run(options, emit) {
    const folder = mnistFolder(options.data)
    const file = options.model ?? sharedPath('models/lenet5-mnist-relu.onnx') ?? exampleModel(OWN_MODEL)
    const model = await loadModel(file, NAME)
    const digits = await loadDigits(folder, 'test', options.images)
    const started = performance.now()
    const bound = await compileAndBind(model, {
      calibration: await calibration(model, file, folder, options.calibrationImages),
      packing: 'multiplexed',
      scaleBits: options.scaleBits,
      activation: { ...ACTIVATION, degree: options.degree },
    })
    const planSeconds = (performance.now() - started) / 1000
    const { report } = bound.plan
    const params = {
      images: digits.length,
      model: basename(file),
      degree: options.degree,
      scaleBits: options.scaleBits,
      logN: report.logN,
      depth: report.depth,
      threads: options.threads,
      kernel: kernels().active,
    }
    const row = (metric: string, value: number, unit: string, more: Record<string, string> = {}) =>
      emit({ name: NAME, params: { ...params, ...more }, metric, value, unit })
    row('plan', planSeconds, 's')

    await using run = await EncryptedRun.start(bound, file, options.threads)
    const keys = await run.loadKeys()
    const cold = await run.infer([digits[0]!.tensor])
    row('latency-cold', cold.seconds, 's')
    row('event-loop-delay-cold', cold.eventLoopDelayMs, 'ms')
    row('encode-weights', await run.prepare(), 's')
    const results: InferenceResult[] = []
    for (const { tensor } of digits) results.push(await run.infer([tensor]))

    const seconds = results.map((r) => r.seconds)
    row('latency', median(seconds), 's')
    row('latency-max', Math.max(...seconds), 's')
    row('latency-network', median(results.map((r) => r.networkSeconds)), 's')
    row('event-loop-delay', Math.max(...results.map((r) => r.eventLoopDelayMs)), 'ms')
    row('encrypt', median(results.map((r) => r.encryptSeconds)), 's')
    row('decrypt', median(results.map((r) => r.decryptSeconds)), 's')
    for (const r of serverRows(NAME, params, keys, await run.usage())) emit(r)

    const encrypted = results.map((r) => r.logits[0]!)
    const labels = digits.map((d) => d.label)
    const clear = {
      polynomial: digits.map((d) => approximateForward(bound.model, d.tensor).data),
      exact: digits.map((d) => model.forward(d.tensor).data),
    }
    row('accuracy', accuracyPercent(encrypted, labels), '%', { of: 'encrypted' })
    for (const [against, logits] of Object.entries(clear)) {
      row('agreement', agreementPercent(encrypted, logits), '%', { against })
      row('logits-bits', logitsBits(encrypted, logits), 'bits', { against })
      row('accuracy', accuracyPercent(logits, labels), '%', { of: against })
    }
  },
})

/** The example's own file for the example's own network, else from training digits. */
async function calibration(model: Model, file: string, folder: string, count: number): Promise<Calibration> {
  if (file === exampleModel(OWN_MODEL)) return parseCalibration(await readFile(exampleModel(OWN_CALIBRATION), 'utf8'))
  return fit(
    model,
    (await loadDigits(folder, 'train', count)).map((d) => d.tensor),
  )
}
