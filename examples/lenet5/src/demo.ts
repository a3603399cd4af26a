/**
 * Encrypted LeNet-5, twice: (a) a ReLU network on one digit at a time, (b) a network with squares on thousands of digits at
 * once. Real keys, 128-bit security; the server's half never sees the secret key.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { kernels } from '@he-ml/ckks-native'
import type { Model, Tensor } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { type Calibration, fit, parseCalibration } from '@he-ml/pipeline'
import { Command, InvalidArgumentError } from 'commander'
import { classify } from './classify.ts'
import { loadDigits, trainingTensors } from './inputs.ts'
import { agreement, argmax, type NetworkOutcome } from './outcome.ts'
import { drawPage } from './page.ts'
import { startBar } from './progress.ts'

const positive = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer.')
  return value
}

interface DemoOptions {
  readonly data?: string
  readonly model?: string
  readonly digits: number
  readonly batch: number
  readonly degree: number
  readonly threads: number
  readonly out: string
}

const program = new Command('demo')
  .description('encrypted LeNet-5 on hand-written digits')
  .option('--data <folder>', 'MNIST files (IDX, gzip or not) instead of drawn digits')
  .option('--model <file>', 'another ONNX network for part (a); needs --data to calibrate')
  .option('--digits <n>', 'digits for part (a)', positive, 4)
  .option('--batch <n>', 'digits for part (b), a power of two up to 4096', positive, 4096)
  .option('--degree <n>', 'degree of the ReLU polynomials', positive, 15)
  .option('--threads <n>', 'threads', positive, availableParallelism())
  .option('--out <folder>', 'where the page goes', 'demo-output')
const options = program.parse().opts<DemoOptions>()

const modelFile = (name: string) => readFile(new URL(`../models/${name}`, import.meta.url))
const { active } = kernels()
console.log(`kernel ${active}, ${options.threads} thread${options.threads === 1 ? '' : 's'}`)

const outcomes: NetworkOutcome[] = []
{
  const { model, calibration } = await latencyModel()
  const digits = await loadDigits(options.digits, options.data)
  outcomes.push(
    await classify(model, digits, {
      title: `(a) ${model.name}: ReLU as polynomials of degree ${options.degree}, one digit at a time`,
      calibration,
      compile: {
        packing: 'multiplexed',
        scaleBits: 31,
        activation: { degree: options.degree, margin: 1.25, method: 'least-squares' },
      },
      threads: options.threads,
    }),
  )
  say(outcomes.at(-1)!)
}
{
  const model = await importOnnx(await modelFile('lenet5-square.onnx'), { name: 'lenet5-square' })
  const digits = await loadDigits(options.batch, options.data, 4096)
  outcomes.push(
    await classify(model, digits, {
      title: `(b) ${model.name}: square activations, ${digits.length} digits at once`,
      compile: { packing: 'batch', batch: 2 ** Math.ceil(Math.log2(digits.length)), scaleBits: 28 },
      threads: options.threads,
    }),
  )
  say(outcomes.at(-1)!)
}
await mkdir(options.out, { recursive: true })
const page = join(options.out, 'lenet5.svg')
await writeFile(page, await drawPage(outcomes))
console.log(`\npage: ${page}`)
if (outcomes.some((o) => agreement(o.digits).same < 0.99 * o.digits.length)) {
  console.error('the encrypted decisions differ from the clear ones on more than 1 % of the digits')
  process.exitCode = 1
}

async function latencyModel(): Promise<{ model: Model; calibration: Calibration }> {
  if (options.model === undefined) {
    const model = await importOnnx(await modelFile('lenet5-relu.onnx'), { name: 'lenet5-relu' })
    if (options.data === undefined)
      return { model, calibration: parseCalibration((await modelFile('lenet5-relu.calibration.json')).toString()) }
    return { model, calibration: await calibrate(model, options.data) }
  }
  if (options.data === undefined) program.error('--model needs --data, to learn the ranges of its activations')
  const name = basename(options.model).replace(/\.onnx$/i, '')
  const model = await importOnnx(await readFile(options.model), { name })
  return { model, calibration: await calibrate(model, options.data!) }
}

async function calibrate(model: Model, folder: string): Promise<Calibration> {
  const count = 5000
  const tensors: Tensor[] = []
  for await (const tensor of trainingTensors(folder, count)) tensors.push(tensor)
  const bar = startBar('calibration')
  const calibration = await fit(model, tensors, { onProgress: (done) => bar.update(done / tensors.length) })
  bar.stop()
  return calibration
}

function say({ digits, times }: NetworkOutcome): void {
  const { same, right, clearRight, bits, polynomialBits } = agreement(digits)
  for (const { input, encrypted, clear, seconds } of digits.length > 16 ? [] : digits)
    console.log(`  a ${input.label}: encrypted ${argmax(encrypted)}, clear ${argmax(clear)}, ${seconds.toFixed(2)} s`)
  const inference = times.inference!
  const each = inference / digits.length
  console.log(
    `  ${same} of ${digits.length} decisions as in the clear; right: ${right} encrypted, ${clearRight} clear; ` +
      `logits agree to ${polynomialBits.toFixed(1)} bits with the ${polynomialBits === bits ? 'clear network' : `polynomial network, ${bits.toFixed(1)} with the exact one`}\n` +
      `  inference ${inference.toFixed(2)} s, ${each >= 0.1 ? `${each.toFixed(2)} s` : `${(each * 1000).toFixed(2)} ms`} a digit; ` +
      `encryption ${times.encrypt!.toFixed(2)} s, decryption ${times.decrypt!.toFixed(2)} s`,
  )
}
