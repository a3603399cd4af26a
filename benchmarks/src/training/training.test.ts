import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadMnist } from '@he-ml/datasets'
import { digitData, subset } from '@he-ml/example-train-spiking-lenet5/data'
import { NEURONS, spikingLenet5 } from '@he-ml/example-train-spiking-lenet5/network'
import { createNetwork, type NetworkRecipe } from '@he-ml/snn-training'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { comparePasses, relativeDistance } from './compare-pass.ts'
import { writeRandomDigits } from './digits.ts'
import { trainInTurns } from './epoch.ts'
import { trainingMultiplyAdds } from './multiply-adds.ts'
import { findPyTorch, peerTask } from './pytorch.ts'

const python = findPyTorch()
if (!python)
  console.warn(
    'benchmarks: SKIPPED, no PyTorch: its spiking LeNet-5 is not compared with ours (HE_ML_PYTHON names a Python)',
  )

const training = { batchSize: 64, learningRate: 0.002 }
const lenet5 = (neuron: keyof typeof NEURONS, timeSteps = 4): NetworkRecipe =>
  spikingLenet5({ neuron: NEURONS[neuron], timeSteps, inputShape: [1, 28, 28] })
const folder = mkdtempSync(join(tmpdir(), 'he-ml-training-'))
beforeAll(async () => {
  await writeRandomDigits(folder, 'train', 300)
  await writeRandomDigits(folder, 't10k', 20)
})
afterAll(() => rmSync(folder, { recursive: true }))
const digits = async () => digitData(await loadMnist(folder, { split: 'train' }))

describe('multiply-adds', () => {
  it('are those of the definition, counted by hand', () => {
    // conv1 once, without its input's gradient; the others at every step, three times
    const first = 28 * 28 * 6 * 25
    const later = 10 * 10 * 16 * 6 * 25 + 400 * 120 + 120 * 84 + 84 * 10
    for (const timeSteps of [1, 4])
      expect(trainingMultiplyAdds(createNetwork(lenet5('lif', timeSteps)).description)).toBe(
        2 * first + 3 * timeSteps * later,
      )
  })
})

describe('random digits', () => {
  it('are read as MNIST, the same every time', async () => {
    const data = await loadMnist(folder)
    expect([data.count, ...data.shape, data.pixels.length]).toEqual([20, 1, 28, 28, 20 * 784])
    expect(new Set(data.labels).size).toBeGreaterThan(5)
    const again = mkdtempSync(join(tmpdir(), 'he-ml-training-'))
    await writeRandomDigits(again, 't10k', 20)
    expect(await loadMnist(again)).toEqual(data)
    rmSync(again, { recursive: true })
  })
})

describe('an epoch in turns', () => {
  it('is one run of train; pauses do not count', async () => {
    const small: NetworkRecipe = {
      name: 'small',
      inputShape: [1, 28, 28],
      timeSteps: 1,
      layers: [
        { kind: 'flatten', name: 'flatten' },
        { kind: 'linear', name: 'fc', outFeatures: 10 },
      ],
    }
    const paused: number[] = []
    const data = subset(await digits(), 100)
    const recipe = {
      epochs: 1,
      batchSize: 10,
      loss: { kind: 'crossEntropy' },
      optimizer: { kind: 'adam' },
      schedule: { learningRate: 0.01 },
    } as const
    // a clock that stands but for a second at each look, and an hour in each pause
    let milliseconds = 0
    const now = () => {
      milliseconds += 1e3
      return milliseconds
    }
    const run = (chunk: number) =>
      trainInTurns({
        ...{ network: createNetwork(small), data, recipe, chunk, now },
        async between(turn) {
          paused.push(turn)
          milliseconds += 3.6e6
        },
      })
    const inTurns = await run(4)
    expect(paused).toEqual([0, 1, 2])
    expect(inTurns.turns).toEqual([1, 1, 1])
    expect((await run(10)).loss).toBe(inTurns.loss)
  })
})

describe('the task of the peer', () => {
  it('is taken from the network', () => {
    const { description } = createNetwork(lenet5('qif'))
    const { neuron, surrogate, timeSteps } = peerTask(description, training)
    expect(neuron).toEqual(NEURONS.qif)
    expect(timeSteps).toBe(4)
    expect(description.layers).toContainEqual(
      expect.objectContaining({ kind: 'neuron', surrogate: { kind: 'rectangle', ...surrogate } }),
    )
  })
  it('is refused for what the peer does not know', () => {
    const surrogate = { kind: 'arctangent', width: 1 } as const
    const other = spikingLenet5({ neuron: NEURONS.lif, timeSteps: 4, inputShape: [1, 28, 28], surrogate })
    expect(() => peerTask(createNetwork(other).description, training)).toThrow(/rectangle/)
  })
})

describe('relativeDistance', () => {
  it('is 0 for equal vectors and not a number for different lengths', () => {
    expect(relativeDistance([3, 4], [3, 4])).toBe(0)
    expect(relativeDistance([3, 4], [3, 9])).toBe(1)
    expect(relativeDistance([3, 4], [3])).toBeNaN()
  })
})

describe.skipIf(!python)('PyTorch', () => {
  it.each(['lif', 'qif'] as const)(
    'has the same scores, loss and gradients for the same weights, %s',
    async (neuron) => {
      const network = createNetwork(lenet5(neuron), { seed: 5 })
      const task = peerTask(network.description, training)
      const differences = await comparePasses(python!, network, task, subset(await digits(), 8))
      expect(differences.map(({ ways }) => ways)).toEqual([
        'fused linear nchw foreach',
        'recurrence conv channels_last loop',
      ])
      for (const { ways, loss, scores, gradients } of differences) {
        console.log(`${neuron}, ${ways}: loss ${loss}, scores ${scores}, gradients ${gradients}`)
        expect(loss, ways).toBeLessThan(1e-5)
        expect(scores, ways).toBeLessThan(1e-5)
        expect(gradients, ways).toBeLessThan(1e-4)
      }
    },
  )
})
