/**
 * An epoch of the spiking LeNet-5 of examples/train-spiking-lenet5, in turns with the same epoch in PyTorch. Both read the
 * same digits and start from the same kind of random weights; before anything is timed they are given the same weights and
 * one batch, and must agree.
 */
import { availableParallelism, loadavg } from 'node:os'
import { HeMlError } from '@he-ml/ckks-core'
import { loadMnist } from '@he-ml/datasets'
import { digitData, subset } from '@he-ml/example-train-spiking-lenet5/data'
import { NEURONS, type NeuronName, spikingLenet5 } from '@he-ml/example-train-spiking-lenet5/network'
import { createFloatKernels, type NativeFloatKernels } from '@he-ml/float-kernels'
import { createLoss, createNetwork, evaluate, type LabelledData, type Network, train } from '@he-ml/snn-training'
import { define } from '../benchmark.ts'
import { rateOrNone } from '../multiply-add-rate.ts'
import { choice, positive } from '../option-types.ts'
import { progress } from '../progress.ts'
import type { Emit, RowParams } from '../rows.ts'
import { comparePasses } from './compare-pass.ts'
import { digitFolder, TRAINING_IMAGES } from './digits.ts'
import { trainInTurns } from './epoch.ts'
import { trainingMultiplyAdds } from './multiply-adds.ts'
import { findPyTorch, peerTask, startPeer } from './pytorch.ts'

interface Options {
  readonly data?: string
  readonly neuron: NeuronName
  readonly timeSteps: number
  readonly threads: number
  readonly steps?: number
  readonly chunk: number
  readonly peer: boolean
  readonly bound: boolean
}

const NAME = 'lenet5-epoch'
const BATCH = 64
const LEARNING_RATE = 2e-3
const WARM_UP_STEPS = 20
/** Images that both networks see before anything is timed: few, so that a membrane within rounding of the threshold is rare. */
const COMPARED = 8
const MOST_DIFFERENCE = 1e-3
/** Load per core from which on a comparison is not to be trusted. */
const BUSY = 0.5

export const training = define<Options>({
  name: 'training',
  description: 'an epoch of training a spiking LeNet-5 on 60,000 digits in the clear, against PyTorch, in turns',
  configure: (command) =>
    void command
      .option('--data <folder>', 'MNIST (default: the shared data; without any, random digits)')
      .option('--neuron <name>', Object.keys(NEURONS).join(' or '), choice(...Object.keys(NEURONS)), 'lif')
      .option('--time-steps <n>', 'time steps', positive, 4)
      .option('--threads <n>', 'threads, the same for both', positive, availableParallelism())
      .option('--steps <n>', 'steps to measure, scaled to the epoch (default: the whole epoch)', positive)
      .option('--chunk <n>', 'steps of a turn', positive, 94)
      .option('--no-peer', 'ours only')
      .option('--no-bound', 'leave out the bound, which needs a C++ compiler'),
  async run(options, emit) {
    await using folder = await digitFolder(options.data)
    await using kernels = createFloatKernels({ threads: options.threads })
    const all = digitData(await loadMnist(folder.path, { split: 'train' }))
    const data = subset(all, Math.min((options.steps ?? Infinity) * BATCH, all.count))
    const network = buildNetwork(options, kernels, 1)
    const scale = TRAINING_IMAGES / data.count
    const python = options.peer ? findPyTorch() : undefined
    const absent = options.peer && python === undefined
    if (absent) console.error('no PyTorch: rows of ours only (python3-torch of Debian, or HE_ML_PYTHON names a Python)')
    const params = {
      ...rowParams(options, kernels, folder.digits, data.count),
      ...(absent && { peer: 'not installed' }),
    }
    if (loadavg()[0]! > BUSY * availableParallelism())
      console.error(
        'this machine is busy: a ratio of two libraries that wait for their threads differently says little now',
      )
    const rate = options.bound ? await rateOrNone(kernels) : undefined
    await warmUp(buildNetwork(options, kernels, 2), all)
    await using peer = python ? await preparePeer(python, { ...options, data: folder.path }, kernels, data) : undefined
    const theirs = { seconds: 0, images: 0, loss: 0 }
    const { turns, loss } = await trainInTurns({
      network,
      data,
      recipe: recipe(),
      chunk: options.chunk,
      async between(turn) {
        progress(`${NAME}: turn ${turn + 1}`)
        if (!peer || theirs.images === data.count) return
        const line = await peer.process.go()
        theirs.seconds += line.seconds
        theirs.images += line.images
        theirs.loss += (line.loss * line.images) / data.count
      },
    })
    const seconds = turns.reduce((sum, s) => sum + s, 0)
    const row = rowsOf(params, emit)
    row('time', seconds * scale, 's')
    row('loss', loss, 'nats')
    if (peer) {
      const { ready } = peer
      const theirParams = { ways: Object.values(ready.ways).join(' ') }
      row('time', theirs.seconds * scale, 's', ready.peer, theirParams)
      row('loss', theirs.loss, 'nats', ready.peer, theirParams)
      row('speedup', theirs.seconds / seconds, 'x', ready.peer)
    }
    if (rate !== undefined) row('bound', (trainingMultiplyAdds(network.description) * TRAINING_IMAGES) / rate, 's')
    if (folder.digits === 'random') return
    const test = digitData(await loadMnist(folder.path))
    const { accuracy } = await evaluate(network, test, { loss: createLoss({ kind: 'crossEntropy' }) })
    row('accuracy', 100 * accuracy, '%')
    if (peer) row('accuracy', 100 * (await peer.process.go()).accuracy!, '%', peer.ready.peer)
  },
})

const recipe = () => ({
  epochs: 1,
  batchSize: BATCH,
  loss: { kind: 'crossEntropy' } as const,
  optimizer: { kind: 'adam' } as const,
  schedule: { learningRate: LEARNING_RATE },
})

function buildNetwork(
  { neuron, timeSteps }: Pick<Options, 'neuron' | 'timeSteps'>,
  kernels: NativeFloatKernels,
  seed: number,
): Network {
  const described = spikingLenet5({ neuron: NEURONS[neuron], timeSteps, inputShape: [1, 28, 28] })
  return createNetwork(described, { seed, kernels })
}

function rowParams(options: Options, kernels: NativeFloatKernels, digits: string, images: number): RowParams {
  const { neuron, timeSteps, threads, steps } = options
  const measured = steps === undefined ? {} : { measured: `${images} images, scaled` }
  return {
    neuron,
    timeSteps,
    threads,
    batch: BATCH,
    images: TRAINING_IMAGES,
    digits,
    kernel: kernels.kernel,
    ...measured,
  }
}

const rowsOf =
  (params: RowParams, emit: Emit) =>
  (metric: string, value: number, unit: string, peer?: string, more: RowParams = {}) => {
    const { kernel, ...theirs } = params
    const own = peer === undefined || unit === 'x'
    emit({ name: NAME, params: { ...(own ? params : theirs), ...more }, metric, value, unit, ...(peer && { peer }) })
  }

/** Compiles what is compiled while it runs, on a network that is thrown away. */
async function warmUp(network: Network, all: LabelledData): Promise<void> {
  await train(network, { data: subset(all, Math.min(WARM_UP_STEPS * BATCH, all.count)), recipe: recipe() })
}

/** @throws HeMlError when the two networks do not agree */
async function preparePeer(
  python: string,
  { data: folder, ...options }: Options & { readonly data: string },
  kernels: NativeFloatKernels,
  data: LabelledData,
) {
  const network = buildNetwork(options, kernels, 3)
  const task = peerTask(network.description, { batchSize: BATCH, learningRate: LEARNING_RATE })
  for (const { ways, ...differences } of await comparePasses(python, network, task, subset(data, COMPARED)))
    for (const [what, difference] of Object.entries(differences))
      if (!(difference <= MOST_DIFFERENCE))
        throw new HeMlError(
          'Benchmark',
          `with the same weights and digits, the ${what} of PyTorch (${ways}) and ours differ by ${difference}`,
        )
  const { threads, chunk } = options
  const { ready, process } = await startPeer({ python, task, data: folder, threads, chunk, images: data.count })
  return { ready, process, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() }
}
