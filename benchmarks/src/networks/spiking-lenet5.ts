/**
 * Spiking LeNet-5 on one encrypted digit at a time, its neurons decided exactly during a bootstrap or softly by polynomials. Latency is the
 * server's, from the bytes of the input to the bytes of the result. Decisions are compared with the clear network's; with exact neurons every
 * spike should be the same, and then the results are.
 */
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { kernels } from '@he-ml/ckks-native'
import { machineCostModel, measureMachine } from '@he-ml/ckks-native/client'
import { compileAndBind, fit } from '@he-ml/pipeline'
import { define } from '../benchmark.ts'
import { choice, positive } from '../option-types.ts'
import { spikingModel } from '../places.ts'
import { progress } from '../progress.ts'
import { median } from '../statistics.ts'
import { loadDigits, loadModel, type Method, mnistFolder, PIXELS } from './digits.ts'
import { EncryptedRun, type InferenceResult } from './encrypted-run.ts'
import { accuracyPercent, agreementPercent, errorBits } from './logits.ts'
import { serverRows } from './server-rows.ts'

interface Options {
  readonly data?: string
  readonly model?: string
  readonly method: Method
  readonly neuron: 'lif' | 'qif'
  readonly timeSteps: number
  readonly images: number
  readonly degree: number
  readonly threads: number
  readonly calibrationImages: number
}

/** Results that differ by less are those of the same spikes. */
const SAME = 0.01

export const spikingLenet5 = define<Options>({
  name: 'spiking-lenet5',
  description: 'spiking LeNet-5, one encrypted MNIST digit at a time: latency, agreement, margin',
  configure: (command) =>
    void command
      .option('--data <folder>', 'MNIST (default: the shared data)')
      .option('--model <file>', "description of a spiking network (default: the example's for neuron and time steps)")
      .option('--method <how>', 'functional or polynomial', choice('functional', 'polynomial'), 'functional')
      .option('--neuron <kind>', 'lif or qif', choice('lif', 'qif'), 'lif')
      .option('--time-steps <n>', '2 or 4', positive, 2)
      .option('--images <n>', 'test digits', positive, 20)
      .option('--degree <n>', 'of polynomial steps', positive, 15)
      .option('--threads <n>', 'threads of the server and the client', positive, availableParallelism())
      .option('--calibration-images <n>', 'training digits that tell where membranes lie', positive, 2000),
  async run(options, emit) {
    const { method, neuron, timeSteps, threads } = options
    const folder = mnistFolder(options.data)
    const trained = `mnist-${neuron}-t${timeSteps}${method === 'functional' ? '-grid' : ''}.json`
    const file = options.model ?? spikingModel(trained)
    const name = `mnist-${neuron}`
    const model = await loadModel(file, name, method)
    const digits = await loadDigits(folder, 'test', options.images, PIXELS)
    const training = await loadDigits(folder, 'train', options.calibrationImages, PIXELS)
    progress(`${name}: planning`)
    const costModel = machineCostModel(await measureMachine({ threads, logN: 15 }))
    const started = performance.now()
    const bound = await compileAndBind(model, {
      calibration: await fit(
        model,
        training.map(({ tensor }) => tensor),
      ),
      activation: { margin: 1.3, degree: options.degree },
      costModel,
    })
    const planSeconds = (performance.now() - started) / 1000
    const { report } = bound.plan
    const params = {
      method,
      timeSteps,
      model: basename(file),
      images: digits.length,
      logN: report.logN,
      threads,
      kernel: kernels().active,
    }
    const row = (metric: string, value: number, unit: string, more: Record<string, string> = {}) =>
      emit({ name, params: { ...params, ...more }, metric, value, unit })
    row('plan', planSeconds, 's')
    row('latency-planned', report.seconds, 's')
    row('peak-planned', report.memory.peakBytes / 1e9, 'GB')
    row('bits-planned', report.precisionBits, 'bits')
    if (report.decisionMargin !== undefined) row('margin', report.decisionMargin, 'sigmas')
    row('failure-probability', report.failureProbability, 'per digit')

    await using run = await EncryptedRun.start(bound, file, threads)
    const keys = await run.loadKeys()
    row('encode-weights', await run.prepare(), 's')
    const results: InferenceResult[] = []
    for (const [i, { tensor }] of digits.entries()) {
      results.push(await run.infer([tensor]))
      progress(`${name}: ${i + 1} of ${digits.length}: ${results.at(-1)!.seconds.toFixed(2)} s`)
    }
    row('latency-cold', results[0]!.seconds, 's')
    row('latency', median(results.slice(1).map((r) => r.seconds)), 's')
    for (const r of serverRows(name, params, keys, await run.usage())) emit(r)

    const encrypted = results.map((r) => r.logits[0]!)
    const clear = digits.map(({ tensor }) => model.forward(tensor).data)
    const labels = digits.map(({ label }) => label)
    const alike = encrypted.filter((logits, i) => logits.every((x, k) => Math.abs(x - clear[i]![k]!) < SAME))
    row('accuracy', accuracyPercent(encrypted, labels), '%', { of: 'encrypted' })
    row('accuracy', accuracyPercent(clear, labels), '%', { of: 'clear' })
    row('agreement', agreementPercent(encrypted, clear), '%')
    row('same-results', (100 * alike.length) / encrypted.length, '%')
    row('bits-measured', errorBits(encrypted, clear), 'bits')
  },
})
