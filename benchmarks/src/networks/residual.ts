/**
 * ResNets on encrypted CIFAR-10 images, many at a time or one: what a run costs, beside what its plan said, and how its decisions
 * compare with the network's own and with those of its polynomials in the clear. Times are the server's, bytes to bytes, with keys
 * loaded and weights encoded as they are needed.
 */
import { availableParallelism } from 'node:os'
import { kernels } from '@he-ml/ckks-native'
import { machineCostModel, measureMachine } from '@he-ml/ckks-native/client'
import type { Model } from '@he-ml/model'
import { type BoundPlan, type CompileOptions, compileAndBind, fit } from '@he-ml/pipeline'
import { type Benchmark, define } from '../benchmark.ts'
import { choice, positive, positiveList } from '../option-types.ts'
import { progress } from '../progress.ts'
import type { Emit } from '../rows.ts'
import { median } from '../statistics.ts'
import { approximateForward } from './approximate-forward.ts'
import { EncryptedRun, type InferenceResult } from './encrypted-run.ts'
import { accuracyPercent, agreementPercent, errorBits, logitsBits } from './logits.ts'
import {
  loadPictures,
  loadResidual,
  type Pictures,
  RESNET20,
  RESNET34,
  type ResidualNetwork,
} from './residual-networks.ts'
import { serverRows } from './server-rows.ts'

interface Options {
  readonly batch: readonly number[]
  readonly images?: number
  readonly network?: string
  readonly samples: number
  readonly memory: number
  readonly degree?: number
  readonly levels?: number
  readonly threads: number
  readonly trace?: string
}

/** One batch size of one network. */
interface Setting {
  readonly network: ResidualNetwork
  readonly file: string
  readonly model: Model
  readonly bound: BoundPlan
  readonly batch: number
  readonly options: Options
  readonly pictures: Pictures
}

const residual = (name: string, description: string, networks: readonly ResidualNetwork[]): Benchmark =>
  define<Options>({
    name,
    description,
    configure: (command) =>
      void command
        .option('--batch <list>', 'images at once, as 1 or 32,128', positiveList, [64])
        .option(
          '--images <n>',
          'test images for each size of batch (default: one batch; for one at a time two)',
          positive,
        )
        .option('--network <name>', 'only this one', choice(...networks.map((n) => n.name)))
        .option('--samples <n>', 'training images that set the ranges of the polynomials', positive, 4000)
        .option('--memory <GB>', 'ceiling of the server', positive, 12)
        .option('--degree <n>', "degree of the ReLU polynomials (default: the network's own)", positive)
        .option('--levels <n>', 'levels between bootstraps (default: what the planner finds fastest)', positive)
        .option('--threads <n>', 'threads of the server and the client', positive, availableParallelism())
        .option('--trace <file>', 'draw the last batch of the last size as SVG, or write it as JSON'),
    async run(options, emit) {
      const training = await loadPictures('train', options.samples)
      const test = await loadPictures('test', Number.MAX_SAFE_INTEGER)
      if (!training || !test) return console.error('HE_ML_SHARED names no folder with data/cifar10: nothing to measure')
      const costs = await measureMachine({ threads: options.threads, logN: 16 })
      for (const network of networks) {
        const file = network.file()
        if (options.network !== undefined && options.network !== network.name) continue
        if (file === undefined) {
          console.error(`${network.name}: its model is not there`)
          continue
        }
        const model = await loadResidual(network, file)
        progress(`${network.name}: calibrating`)
        const started = performance.now()
        const calibration = await fit(model, training.tensors, { equalize: true })
        const fitSeconds = secondsSince(started)
        for (const batch of options.batch) {
          progress(`${network.name}: planning for ${batch}`)
          const before = performance.now()
          const compile = {
            ...compileOptions(network, batch, options),
            calibration,
            costModel: machineCostModel(costs),
          }
          const bound = await compileAndBind(model, compile)
          const planSeconds = fitSeconds + secondsSince(before)
          const count = options.images ?? (batch === 1 ? 2 : batch)
          const pictures = { tensors: test.tensors.slice(0, count), labels: test.labels.slice(0, count) }
          await measure({ network, file, model, bound, batch, options, pictures }, planSeconds, emit)
        }
      }
    },
  })

export const resnet20 = residual(
  'resnet20',
  'ResNet-20 on CIFAR-10: time, memory and agreement, beside the plan',
  RESNET20,
)
export const resnet34 = residual('resnet34', 'ResNet-34 for CIFAR-100 on images of CIFAR-10: the same', RESNET34)

const secondsSince = (start: number): number => (performance.now() - start) / 1000

function compileOptions(network: ResidualNetwork, batch: number, options: Options): CompileOptions {
  const { degree = network.degree, memory, levels } = options
  return {
    batch,
    activation: { margin: network.margin, method: 'least-squares', ...(degree === undefined ? {} : { degree }) },
    memory: memory * 1e9,
    keepWeights: false,
    // as he-ml plan does it
    scaleBits: 32,
    ...(levels === undefined ? {} : { bootstrapping: { levels } }),
  }
}

async function measure(setting: Setting, planSeconds: number, emit: Emit): Promise<void> {
  const { network, file, bound, batch, options, pictures } = setting
  const { report, packing } = bound.plan
  const params = {
    batch,
    images: pictures.tensors.length,
    threads: options.threads,
    ...(network.degree === undefined ? {} : { degree: options.degree ?? network.degree }),
    packing,
    logN: report.logN,
    memory: options.memory,
    kernel: kernels().active,
  }
  const row = (metric: string, value: number, unit: string, more: Record<string, string> = {}) =>
    emit({ name: network.name, params: { ...params, ...more }, metric, value, unit })
  row('plan', planSeconds, 's')
  row('latency-planned', report.seconds + report.encodeSeconds, 's')
  row('peak-planned', report.memory.leanPeakBytes / 1e9, 'GB')
  row('bits-planned', report.precisionBits, 'bits')

  const limits = { memory: options.memory * 1e9, keepWeights: false }
  await using run = await EncryptedRun.start(bound, file, options.threads, limits)
  const keys = await run.loadKeys()
  const results: InferenceResult[] = []
  for (let from = 0; from < pictures.tensors.length; from += batch) {
    progress(`${network.name}: batches of ${batch}, ${from} of ${pictures.tensors.length} images done`)
    results.push(await run.infer(pictures.tensors.slice(from, from + batch), options.trace))
  }
  timeRows(results, pictures.tensors.length, row)
  for (const r of serverRows(network.name, params, keys, await run.usage())) emit(r)
  decisionRows(
    setting,
    results.flatMap((r) => r.logits),
    row,
  )
}

type EmitRow = (metric: string, value: number, unit: string, more?: Record<string, string>) => void

function timeRows(results: readonly InferenceResult[], images: number, row: EmitRow): void {
  const total = (pick: (r: InferenceResult) => number) => results.reduce((sum, r) => sum + pick(r), 0)
  row('latency-cold', results[0]!.seconds, 's')
  if (results.length > 1) row('latency', median(results.slice(1).map((r) => r.seconds)), 's')
  row('amortised', total((r) => r.seconds) / images, 's per image')
  row('processor-time', total((r) => r.processorSeconds) / images, 's per image')
  row('encrypt', total((r) => r.encryptSeconds) / images, 's per image')
  row('decrypt', total((r) => r.decryptSeconds) / images, 's per image')
}

/** Against the exact network, and against its polynomials, which is what encryption costs. */
function decisionRows({ network, model, bound, pictures }: Setting, encrypted: readonly Float64Array[], row: EmitRow) {
  const clear: Record<string, Float64Array[]> = { exact: pictures.tensors.map((t) => model.forward(t).data) }
  clear.polynomial =
    network.degree === undefined ? clear.exact! : pictures.tensors.map((t) => approximateForward(bound.model, t).data)
  if (network.isLabelled) row('accuracy', accuracyPercent(encrypted, pictures.labels), '%', { of: 'encrypted' })
  for (const [against, logits] of Object.entries(clear)) {
    row('agreement', agreementPercent(encrypted, logits), '%', { against })
    row('logits-bits', logitsBits(encrypted, logits), 'bits', { against })
    if (network.isLabelled) row('accuracy', accuracyPercent(logits, pictures.labels), '%', { of: against })
  }
  row('bits-measured', errorBits(encrypted, clear.polynomial), 'bits')
}
