/**
 * Calibration of clear networks: what `fit` takes on the float kernels, its multiply-adds at the processor's own rate as the limit,
 * and double precision, input by input, as the peer on few images. Processor seconds stand beside the time: on a busy machine
 * they say more.
 */
import { availableParallelism } from 'node:os'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createFloatKernels, type NativeFloatKernels } from '@he-ml/float-kernels'
import { type Model, sizeOf, type Tensor } from '@he-ml/model'
import { Conv2dLayer, LinearLayer } from '@he-ml/nn-layers'
import { type FitOptions, fit } from '@he-ml/pipeline'
import { define } from '../benchmark.ts'
import { rateOrNone } from '../multiply-add-rate.ts'
import { positive } from '../option-types.ts'
import { exampleModel } from '../places.ts'
import type { Emit } from '../rows.ts'
import { median } from '../statistics.ts'
import { loadDigits, loadModel, mnistFolder } from './digits.ts'
import { loadResnet20 } from './resnet20.ts'

interface Options {
  readonly data?: string
  readonly digits: number
  readonly images: number
  readonly peerImages: number
  readonly repetitions: number
  readonly threads: number
  readonly bound: boolean
}

const NAME = 'fit'
const WARM_UP = 32

export const fitNetworks = define<Options>({
  name: NAME,
  description: 'calibration in the clear: LeNet-5 on MNIST and ResNet-20 on CIFAR-10, against double precision',
  configure: (command) =>
    void command
      .option('--data <folder>', 'MNIST (default: the shared data)')
      .option('--digits <n>', 'training digits for LeNet-5', positive, 2000)
      .option('--images <n>', 'training images for the shared ResNet-20', positive, 512)
      .option('--peer-images <n>', 'images of each in double precision', positive, 16)
      .option('--repetitions <n>', 'runs of each; the median counts', positive, 3)
      .option('--threads <n>', 'threads of the kernels', positive, availableParallelism())
      .option('--no-bound', 'leave out the bound, which needs a C++ compiler'),
  async run(options, emit) {
    await using kernels = createFloatKernels({ threads: options.threads })
    const rate = options.bound ? await rateOrNone(kernels) : undefined
    const digits = await loadDigits(mnistFolder(options.data), 'train', options.digits)
    const lenet5 = await loadModel(exampleModel('lenet5-relu.onnx'), 'lenet5')
    const rows = { emit, kernels, options, rate }
    await measure(
      lenet5,
      digits.map(({ tensor }) => tensor),
      rows,
    )
    const resnet20 = await loadResnet20(options.images)
    if (resnet20) await measure(resnet20.model, resnet20.images, rows)
  },
})

/** Multiply-adds of one input, by the definition; those with padding's zeros counted. */
export const multiplyAddsOf = ({ nodes, shapes }: Model): number =>
  nodes.reduce((sum, { layer, values }) => {
    if (!(layer instanceof Conv2dLayer || layer instanceof LinearLayer)) return sum
    const { data, shape } = layer.weights
    return sum + (sizeOf(shapes.get(values[0]!)!) * data.length) / shape[0]!
  }, 0)

interface Rows {
  readonly emit: Emit
  readonly kernels: NativeFloatKernels
  readonly options: Options
  readonly rate: number | undefined
}

async function measure(model: Model, inputs: readonly Tensor[], { emit, kernels, options, rate }: Rows): Promise<void> {
  const { kernel, threads } = kernels
  const params = { network: model.name, images: inputs.length, threads, kernel }
  const few = inputs.slice(0, options.peerImages)
  const row = (metric: string, value: number, unit: string) => emit({ name: NAME, params, metric, value, unit })
  const peer = { peer: 'double precision', params: { ...params, peerImages: few.length } }
  for (const precision of ['single', 'double'] as const)
    await timed(model, inputs.slice(0, Math.min(WARM_UP, few.length)), { kernels, precision })
  const runs = { own: [] as Run[], peer: [] as Run[] }
  for (let i = 0; i < options.repetitions; i++) {
    runs.own.push(await timed(model, inputs, { kernels }))
    runs.peer.push(await timed(model, few, { precision: 'double' }))
  }
  const middle = (of: readonly Run[], what: keyof Run) => median(of.map((run) => run[what]))
  const own = middle(runs.own, 'seconds')
  row('time', own, 's')
  row('processor-time', middle(runs.own, 'processorSeconds'), 's')
  if (rate !== undefined) row('bound', (multiplyAddsOf(model) * inputs.length) / rate, 's')
  const perImage = { own: own / inputs.length, peer: middle(runs.peer, 'seconds') / few.length }
  row('time-per-image', 1e3 * perImage.own, 'ms')
  emit({ name: NAME, metric: 'time-per-image', value: 1e3 * perImage.peer, unit: 'ms', ...peer })
  emit({ name: NAME, metric: 'speedup', value: perImage.peer / perImage.own, unit: 'x', ...peer })
}

interface Run {
  readonly seconds: number
  readonly processorSeconds: number
}

/** @throws InvalidArgumentError when `fit` did not see every input */
async function timed(model: Model, inputs: readonly Tensor[], options: FitOptions): Promise<Run> {
  const before = process.cpuUsage()
  const started = performance.now()
  const { samples } = await fit(model, inputs, options)
  const seconds = (performance.now() - started) / 1e3
  const { user, system } = process.cpuUsage(before)
  if (samples !== inputs.length)
    throw new InvalidArgumentError(`fit: expected ${inputs.length} inputs to be seen, got ${samples}`)
  return { seconds, processorSeconds: (user + system) / 1e6 }
}
