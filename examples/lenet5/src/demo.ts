/**
 * Encrypted LeNet-5, twice: (a) a ReLU network on one digit at a time, (b) a network with squares on thousands of digits at
 * once. Real keys, 128-bit security; the server's half never sees the secret key. Without the native engine what node-seal can hold is
 * run, and the rest is named.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import type { Model, Tensor } from '@he-ml/model'
import { importOnnx } from '@he-ml/model-import'
import { type Calibration, fit, parseCalibration } from '@he-ml/pipeline'
import { Command, InvalidArgumentError } from 'commander'
import { chooseEngines } from './engines.ts'
import { loadDigits, trainingTensors } from './inputs.ts'
import { agreement } from './outcome.ts'
import { drawPage } from './page.ts'
import { leftOutText, type Part, showParts } from './parts.ts'
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
const engines = chooseEngines(options.threads)
console.log(engines.description)

const { outcomes, leftOut } = await showParts([latency, throughput], engines)
await mkdir(options.out, { recursive: true })
const page = join(options.out, 'lenet5.svg')
await writeFile(page, await drawPage(outcomes))
console.log(`\npage: ${page}`)
if (leftOut.length > 0) console.log(`\n${leftOutText(leftOut)}`)
if (outcomes.some((o) => agreement(o.digits).same < 0.99 * o.digits.length)) {
  console.error('the encrypted decisions differ from the clear ones on more than 1 % of the digits')
  process.exitCode = 1
}

async function latency(): Promise<Part> {
  const { model, calibration } = await latencyModel()
  return {
    model,
    digits: await loadDigits(options.digits, options.data),
    title: `(a) ${model.name}: ReLU as polynomials of degree ${options.degree}, one digit at a time`,
    calibration,
    compile: {
      packing: 'multiplexed',
      scaleBits: 31,
      activation: { degree: options.degree, margin: 1.25, method: 'least-squares' },
    },
  }
}

async function throughput(): Promise<Part> {
  const model = await importOnnx(await modelFile('lenet5-square.onnx'), { name: 'lenet5-square' })
  const digits = await loadDigits(options.batch, options.data, 4096)
  const { scaleBits } = engines
  return {
    model,
    digits,
    title: `(b) ${model.name}: square activations, ${digits.length} digits at once`,
    compile: { packing: 'batch', batch: 2 ** Math.ceil(Math.log2(digits.length)), scaleBits },
  }
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
