/**
 * LeNet-5 with squares on thousands of encrypted digits at once, image = slot. The amortised time is the server's over the
 * digits of its runs, weights encoded as they are needed and included; encryption and decryption are rows of their own.
 */
import { availableParallelism } from 'node:os'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { kernels } from '@he-ml/ckks-native'
import { compileAndBind } from '@he-ml/pipeline'
import { define } from '../benchmark.ts'
import { positive } from '../option-types.ts'
import { exampleModel } from '../places.ts'
import { loadDigits, loadModel, mnistFolder } from './digits.ts'
import { EncryptedRun, type InferenceResult } from './encrypted-run.ts'
import { accuracyPercent, agreementPercent, logitsBits } from './logits.ts'
import { serverRows } from './server-rows.ts'

interface Options {
  readonly data?: string
  readonly batch: number
  readonly images: number
  readonly scaleBits: number
  readonly threads: number
}

const NAME = 'lenet5-square'

export const lenet5Batch = define<Options>({
  name: 'lenet5-batch',
  description: 'LeNet-5 with squares, thousands of encrypted MNIST digits at once: time per digit, memory, agreement',
  configure: (command) =>
    void command
      .option('--data <folder>', 'MNIST (default: the shared data)')
      .option('--batch <n>', 'digits at once, a power of two', positive, 4096)
      .option('--images <n>', 'test digits', positive, 4096)
      .option('--scale-bits <n>', 'bits of the scale', positive, 28)
      .option('--threads <n>', 'threads of the server and the client', positive, availableParallelism()),
  async run({ data, batch, images, scaleBits, threads }, emit) {
    if (!Number.isInteger(Math.log2(batch)))
      throw new InvalidArgumentError(`--batch: expected a power of two, got ${batch}`)
    const file = exampleModel('lenet5-square.onnx')
    const model = await loadModel(file, NAME)
    const all = await loadDigits(mnistFolder(data), 'test')
    const digits = all.slice(0, images)
    const bound = await compileAndBind(model, { packing: 'batch', batch, scaleBits })
    const { report } = bound.plan
    const params = {
      batch,
      images: digits.length,
      scaleBits,
      logN: report.logN,
      depth: report.depth,
      threads,
      kernel: kernels().active,
    }
    const row = (metric: string, value: number, unit: string, more: Record<string, string> = {}) =>
      emit({ name: NAME, params: { ...params, ...more }, metric, value, unit })

    await using run = await EncryptedRun.start(bound, file, threads)
    const keys = await run.loadKeys()
    const results: InferenceResult[] = []
    for (let from = 0; from < digits.length; from += batch)
      results.push(await run.infer(digits.slice(from, from + batch).map((d) => d.tensor)))
    const total = (pick: (r: InferenceResult) => number) => results.reduce((sum, r) => sum + pick(r), 0)
    const perDigit = (seconds: number) => (seconds * 1e3) / digits.length
    row('amortised', perDigit(total((r) => r.seconds)), 'ms per digit')
    row('amortised-network', perDigit(total((r) => r.networkSeconds)), 'ms per digit')
    row('latency', total((r) => r.seconds) / results.length, 's')
    row('event-loop-delay', Math.max(...results.map((r) => r.eventLoopDelayMs)), 'ms')
    row('encrypt', perDigit(total((r) => r.encryptSeconds)), 'ms per digit')
    row('decrypt', perDigit(total((r) => r.decryptSeconds)), 'ms per digit')
    for (const r of serverRows(NAME, params, keys, await run.usage())) emit(r)

    const encrypted = results.flatMap((r) => r.logits)
    const clear = all.map((d) => model.forward(d.tensor).data)
    const labels = all.map((d) => d.label)
    row('accuracy', accuracyPercent(encrypted, labels), '%', { of: 'encrypted' })
    row('accuracy', accuracyPercent(clear.slice(0, digits.length), labels), '%', { of: 'clear' })
    row('accuracy', accuracyPercent(clear, labels), '%', { of: `clear, all ${all.length} test digits` })
    row('agreement', agreementPercent(encrypted, clear), '%')
    row('logits-bits', logitsBits(encrypted, clear.slice(0, digits.length)), 'bits')
  },
})
