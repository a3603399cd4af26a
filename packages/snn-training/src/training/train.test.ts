import { CancelledError, InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { randomShift } from '../augmentation/augmentation.ts'
import { TrainingDivergedError } from '../errors.ts'
import { createLoss } from '../losses/loss.ts'
import { createNetwork, type Network } from '../network/network.ts'
import { arrayData } from './data.ts'
import { evaluate } from './evaluate.ts'
import { toyDigits, toyNetwork, toyRecipe } from './toy-digits.test-helper.ts'
import { type TrainingProgress, type TrainOptions, train } from './train.ts'

const bits = (network: Network) => network.state.map(({ value }) => new Uint8Array(value.slice().buffer))
const digits = toyDigits(150, 1)

describe('training', () => {
  it.each(['lif', 'qif'] as const)('teaches %s neurons digits of 8 x 8 pixels', async (kind) => {
    const network = createNetwork(toyNetwork(kind), { seed: 3 })
    const { history } = await train(network, {
      data: toyDigits(500, 1),
      validation: toyDigits(200, 2),
      recipe: { ...toyRecipe, epochs: 5 },
    })
    expect(history.at(-1)!.validation!.accuracy).toBeGreaterThan(0.95)
  })

  it('teaches exclusive or, which no layer without spikes between could', async () => {
    const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'zero' } as const
    const network = createNetwork(
      {
        name: 'xor',
        inputShape: [2],
        timeSteps: 4,
        layers: [
          { kind: 'linear', name: 'fc1', outFeatures: 16 },
          { kind: 'neuron', name: 'spikes', neuron, surrogate: { kind: 'arctangent', width: 0.5 } },
          { kind: 'linear', name: 'fc2', outFeatures: 2 },
          {
            kind: 'neuron',
            name: 'readout',
            neuron: { ...neuron, reset: 'none' },
            surrogate: { kind: 'arctangent', width: 0.5 },
            output: 'membrane',
          },
        ],
      },
      { seed: 2 },
    )
    const data = arrayData(Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), [0, 1, 1, 0], [2])
    const { history } = await train(network, {
      data,
      recipe: {
        epochs: 150,
        batchSize: 4,
        loss: { kind: 'crossEntropy' },
        optimizer: { kind: 'sgd', momentum: 0.9 },
        schedule: { learningRate: 0.1 },
      },
    })
    expect(history.at(-1)!.accuracy).toBe(1)
    expect(history.at(-1)!.loss).toBeLessThan(0.1)
  })

  it('repeats bit for bit, and only with the same seed', async () => {
    const run = async (seed: number) => {
      const network = createNetwork(toyNetwork(), { seed: 3 })
      const recipe = { ...toyRecipe, seed, epochs: 1 }
      await train(network, { data: digits, recipe, augmentation: randomShift(1) })
      return bits(network)
    }
    const first = await run(11)
    expect(await run(11)).toEqual(first)
    expect(await run(12)).not.toEqual(first)
  })

  const optimizers = [
    { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-3 },
    { kind: 'adam', weightDecay: 1e-3 },
    { kind: 'adamW', weightDecay: 1e-2 },
  ] as const
  it.each(optimizers)('cancelled at any step and resumed, %j ends with the same weights', async (optimizer) => {
    const recipe = { ...toyRecipe, epochs: 2, optimizer }
    const common = { data: digits, validation: toyDigits(50, 2), recipe, augmentation: randomShift(1) }
    const whole = createNetwork(toyNetwork(), { seed: 3 })
    const { history } = await train(whole, common)
    let saved: Uint8Array | undefined
    let attempts = 0
    let result: Awaited<ReturnType<typeof train>> | undefined
    let network = whole
    while (!result) {
      // another initial seed: everything must come from the checkpoint
      network = createNetwork(toyNetwork(), { seed: saved ? 100 + attempts : 3 })
      const controller = new AbortController()
      let steps = 0
      const options: TrainOptions = {
        ...common,
        checkpoint: {
          async write(bytes) {
            saved = bytes
          },
        },
        ...(saved && { resume: saved }),
        signal: controller.signal,
        onProgress: () => {
          if (++steps === 4) controller.abort()
        },
      }
      result = await train(network, options).catch((error: unknown) => {
        if (error instanceof CancelledError) return undefined
        throw error
      })
      attempts++
    }
    expect(attempts).toBeGreaterThan(2)
    expect(bits(network)).toEqual(bits(whole))
    expect(result.history).toEqual(history)
  })

  it('reports every step and every epoch', async () => {
    const seen: TrainingProgress[] = []
    const network = createNetwork(toyNetwork(), { seed: 3 })
    const recipe = { ...toyRecipe, epochs: 2 }
    await train(network, { data: digits, recipe, onProgress: (progress) => seen.push(progress) })
    expect(seen.map(({ epoch, step }) => [epoch, step])).toEqual(
      [0, 1].flatMap((epoch) => [1, 2, 3, 4, 5, 6].map((step) => [epoch, step])),
    )
    expect(seen.filter(({ finished }) => finished).map(({ step }) => step)).toEqual([6, 6])
    expect(seen.at(-1)!.secondsLeft).toBe(0)
    expect(seen[0]!.secondsLeft).toBeGreaterThan(0)
    expect(seen.at(-1)!.loss).toBeLessThan(seen[0]!.loss)
  })

  it('stops early and puts the best weights back', async () => {
    const network = createNetwork(toyNetwork(), { seed: 3 })
    const validation = toyDigits(60, 2)
    // a rate far too high for the last epochs to be the best
    const recipe = {
      ...toyRecipe,
      epochs: 12,
      patience: 1,
      schedule: { learningRate: 0.5, warmupSteps: 0, lowest: 0.5 },
    }
    const { history, epoch, stoppedEarly } = await train(network, { data: digits, validation, recipe })
    expect(stoppedEarly).toBe(true)
    expect(history.length).toBe(epoch + 2)
    const accuracies = history.map((h) => h.validation!.accuracy)
    expect(accuracies[epoch]).toBe(Math.max(...accuracies))
    const now = await evaluate(network, validation, { loss: createLoss(recipe.loss), batchSize: 25 })
    expect(now).toEqual(history[epoch]!.validation)
  })

  it('refuses what does not fit, and a loss that is not finite', async () => {
    const network = createNetwork(toyNetwork())
    const recipe = { ...toyRecipe, epochs: 1 }
    await expect(train(network, { data: digits, recipe: { ...recipe, epochs: 0 } })).rejects.toThrow(/"epochs"/)
    await expect(train(network, { data: digits, recipe: { ...recipe, patience: 2 } })).rejects.toThrow(/validation/)
    const flat = arrayData(new Float32Array(64), [0], [64])
    await expect(train(network, { data: flat, recipe })).rejects.toThrow(InvalidArgumentError)
    expect(() => arrayData(new Float32Array(63), [0], [64])).toThrow(/expected 64 values/)
    // without spikes in between nothing holds the scores back
    const linear = createNetwork({
      name: 'linear',
      inputShape: [1],
      timeSteps: 1,
      layers: [{ kind: 'linear', name: 'fc', outFeatures: 2 }],
    })
    const huge = arrayData(Float32Array.of(1e30, -1e30), [0, 0], [1])
    const steep = { ...recipe, epochs: 50, optimizer: { kind: 'sgd' }, schedule: { learningRate: 1e30 } } as const
    await expect(train(linear, { data: huge, recipe: steep })).rejects.toThrow(TrainingDivergedError)
  })

  describe('with single values per channel, which have no variance', () => {
    const network = () =>
      createNetwork({
        name: 'n',
        inputShape: [1],
        timeSteps: 2,
        layers: [
          { kind: 'linear', name: 'fc', outFeatures: 2 },
          { kind: 'tdBatchNorm', name: 'norm', threshold: 1 },
        ],
      })
    const samples = (count: number) => {
      const x = Float32Array.from({ length: count }, (_, i) => (i % 2 ? 1 : -1))
      return arrayData(
        x,
        Array.from(x, (v) => (v > 0 ? 1 : 0)),
        [1],
      )
    }
    const run = (count: number, batchSize: number, more = {}) =>
      train(network(), {
        data: samples(count),
        recipe: {
          epochs: 1,
          batchSize,
          loss: { kind: 'crossEntropy' },
          optimizer: { kind: 'adam' },
          schedule: { learningRate: 1e-9 },
          ...more,
        },
      })

    it('refuses before the first step', async () => {
      await expect(run(9, 4)).rejects.toThrow(/9 samples in batches of 4 make one of 1, .*"norm" sees one value/)
      await expect(run(8, 1)).rejects.toThrow(/no variance/)
      await expect(run(1, 4)).rejects.toThrow(/no variance/)
      await expect(run(8, 4)).resolves.toBeDefined()
      await expect(run(10, 4)).resolves.toBeDefined()
      await expect(run(9, 4, { frozenStatistics: true })).resolves.toBeDefined()
    })

    it('refuses in the layer too', async () => {
      const input = { data: Float32Array.of(1), steps: 1, batch: 1, shape: [1] }
      await expect(network().forward(input, { training: true })).rejects.toThrow(/"norm": expected at least 2 values/)
      await expect(network().forward(input)).resolves.toBeDefined()
      const moving = { data: Float32Array.of(1, 2), steps: 2, batch: 1, shape: [1] }
      await expect(network().forward(moving, { training: true })).resolves.toBeDefined()
    })
  })
})
