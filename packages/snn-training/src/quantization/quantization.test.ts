import { InvalidArgumentError } from '@he-ml/ckks-core'
import {
  excessOverGrid,
  isInsideGrid,
  neuronKernelsWith,
  referenceKernels,
  stopOutsideGrid,
} from '@he-ml/float-kernels'
import type { LayerDescription, NetworkRecipe } from '@he-ml/model/spiking'
import { allLayers, type Grid, gridRange, nearestOnGrid } from '@he-ml/model/spiking'
import {
  charge,
  createNeuron,
  logisticSpike,
  type Neuron,
  neuronPrograms,
  numberArithmetic,
  resetMembrane,
} from '@he-ml/snn-neurons'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeModel, parseModel } from '../files/model-file.ts'
import type { WeightGrid } from '../layers/weight-grid.ts'
import { createLoss } from '../losses/loss.ts'
import { foldNormalization } from '../network/fold.ts'
import { createNetwork } from '../network/network.ts'
import { normals } from '../testing.test-helper.ts'
import { BatchCollector } from '../training/data.ts'
import { evaluate } from '../training/evaluate.ts'
import { toyDigits, toyNetwork, toyRecipe } from '../training/toy-digits.test-helper.ts'
import { train } from '../training/train.ts'
import { calibrateGrids } from './calibrate-grids.ts'
import { applyCommonGrid } from './common-grid.ts'
import { roundWeights } from './round-weights.ts'

describe('grids', () => {
  const grids = fc.record({
    step: fc.double({ min: 1e-3, max: 10, noNaN: true }),
    count: fc.integer({ min: 1, max: 128 }).map((half) => 2 * half),
  })
  it('round to the nearest point of their range', () => {
    fc.assert(
      fc.property(grids, fc.double({ min: -1e4, max: 1e4, noNaN: true }), (grid, value) => {
        const [low, high] = gridRange(grid)
        const point = nearestOnGrid(value, grid)
        expect(point).toBeGreaterThanOrEqual(low)
        expect(point).toBeLessThanOrEqual(high)
        expect(nearestOnGrid(point, grid)).toBe(point)
        const nearest = Math.min(high, Math.max(low, value))
        expect(Math.abs(point - nearest)).toBeLessThanOrEqual(grid.step * (0.5 + 1e-9))
      }),
      { numRuns: 1000 },
    )
  })
  it('by hand', () => {
    const grid: Grid = { step: 0.5, count: 4 }
    expect(gridRange(grid)).toEqual([-1, 0.5])
    expect([-2, -0.75, -0.3, 0.24, 0.25, 0.7, 3].map((v) => nearestOnGrid(v, grid))).toEqual([
      -1, -0.5, -0.5, 0, 0.5, 0.5, 0.5,
    ])
    expect([-1.3, -1.25, 0.7, 0.75].map((v) => isInsideGrid(v, grid))).toEqual([false, true, true, false])
    const gradient = Float64Array.of(1, 2, 3)
    stopOutsideGrid(Float64Array.of(-2, 0, 0.8), grid, gradient)
    expect([...gradient]).toEqual([0, 2, 0])
    expect([-3, -1.25, 0.2, 0.75, 1].map((v) => excessOverGrid(v, grid))).toEqual([-1.75, 0, 0, 0, 0.25])
  })
  it('pull clipped values back by the gradient of the penalty', () => {
    const h = 1e-4
    fc.assert(
      fc.property(
        grids,
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.constantFrom(0.01, 1, 7),
        (grid, place, pull) => {
          const value = place * grid.count * grid.step
          const gradient = Float64Array.of(7)
          stopOutsideGrid(Float64Array.of(value), grid, gradient, pull)
          const penalty = (v: number) => (pull / 2) * excessOverGrid(v, grid) ** 2
          const step = h * grid.step
          const want = (penalty(value + step) - penalty(value - step)) / (2 * step)
          if (isInsideGrid(value, grid)) expect(gradient[0]).toBe(7)
          else expect(Math.abs(gradient[0]! - want)).toBeLessThanOrEqual(pull * step + 1e-6 * Math.abs(want))
        },
      ),
      { numRuns: 1000 },
    )
  })
  it('take infinite values: without a pull their gradient is 0', () => {
    const gradient = Float64Array.of(1, 2)
    stopOutsideGrid(Float64Array.of(Infinity, -Infinity), { step: 0.5, count: 4 }, gradient)
    expect([...gradient]).toEqual([0, 0])
  })
})

describe('neurons on a grid', () => {
  const neurons = (['subtract', 'zero', 'none'] as const).flatMap((reset) => [
    createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset }),
    createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset }),
  ])
  const [timeSteps, count] = [3, 500]
  const input = normals(timeSteps * count, 2)
  const taskOf = (neuron: Neuron, grid?: Grid) => {
    const { threshold } = neuron
    return { ...neuronPrograms(neuron), threshold, ...(grid && { grid }), timeSteps, inputSteps: timeSteps, input }
  }

  it.each(neurons)('step like neurons whose charged membrane is rounded: %j', async (neuron) => {
    const grid = { step: 0.125, count: 64 }
    const [spikes, membranePotentials, charged] = [input.slice(), input.slice(), input.slice()]
    await referenceKernels.neurons({ ...taskOf(neuron, grid), spikes, membranePotentials, charged })
    for (let i = 0; i < count; i++)
      for (let t = 0, u = 0; t < timeSteps; t++) {
        const at = t * count + i
        const v = nearestOnGrid(charge(numberArithmetic, neuron, u, input[at]!), grid)
        const spike = v >= 1 ? 1 : 0
        u = resetMembrane(numberArithmetic, neuron, v, spike)
        expect([charged[at], spikes[at], membranePotentials[at]! + 0]).toEqual([v, spike, u + 0])
      }
  })

  const inputGradient = async (neuron: Neuron, grid: Grid | undefined, x: Float64Array, detachReset: boolean) => {
    const kernels = neuronKernelsWith(logisticSpike(1, 0.3))
    const whole = { ...taskOf(neuron, grid), input: x }
    const [spikes, membranePotentials, result] = [x.slice(), x.slice(), x.slice()]
    await kernels.neurons({ ...whole, spikes, membranePotentials })
    const surrogate = { kind: 'rectangle', width: 1, height: 1 } as const
    const gradients = { spikeGradient: normals(x.length, 4), membraneGradient: normals(x.length, 3) }
    const backward = { ...whole, ...gradients, surrogate, detachReset, membranePotentials, inputGradient: result }
    await kernels.neuronsBackward(backward)
    return result
  }

  it.each(neurons)('have the gradients of neurons without a grid as the step goes to 0: %j', async (neuron) => {
    for (const detach of [false, true]) {
      const want = await inputGradient(neuron, undefined, input, detach)
      const got = await inputGradient(neuron, { step: 2 ** -30, count: 2 ** 36 }, input, detach)
      for (let i = 0; i < got.length; i++) expect(got[i]).toBeCloseTo(want[i]!, 6)
    }
  })

  it('get no gradient where they are clipped', async () => {
    const x = Float64Array.of(-3, 0.1, 3, -3, 0.1, 3, -3, 0.1, 3)
    const gradient = await inputGradient(neurons[0]!, { step: 0.25, count: 4 }, x, false)
    for (const [i, value] of gradient.entries()) expect(value === 0).toBe(i % 3 !== 1)
  })

  // without a reset, so that only rounding stands between the inputs and the penalty: a fine grid makes it the identity
  it('have the gradient of the penalty, through time', async () => {
    const [size, pull] = [20, 0.7]
    const grid = { step: 2 ** -24, count: 2 ** 26 }
    const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'none' })
    const x = normals(timeSteps * size, 6, 2)
    const task = { ...taskOf(neuron, grid), input: x }
    const [spikes, membranePotentials, inputGradient] = [x.slice(), x.slice(), x.slice()]
    await referenceKernels.neurons({ ...task, spikes, membranePotentials })
    const surrogate = { kind: 'rectangle', width: 1, height: 1 } as const
    await referenceKernels.neuronsBackward({
      ...task,
      membranePotentials,
      surrogate,
      detachReset: false,
      pull,
      inputGradient,
    })
    const penaltyOf = (inputs: Float64Array, i: number) => {
      let sum = 0
      for (let t = 0, u = 0; t < timeSteps; t++) {
        const v = charge(numberArithmetic, neuron, u, inputs[t * size + i]!)
        sum += (pull / 2) * excessOverGrid(v, grid) ** 2
        u = isInsideGrid(v, grid) ? v : nearestOnGrid(v, grid)
      }
      return sum
    }
    const h = 1e-5
    let pulled = 0
    for (let i = 0; i < x.length; i++) {
      const [up, down] = [h, -h].map((by) => penaltyOf(x.with(i, x[i]! + by), i % size)) as [number, number]
      expect(inputGradient[i]).toBeCloseTo((up - down) / (2 * h), 5)
      if (inputGradient[i] !== 0) pulled++
    }
    expect(pulled).toBeGreaterThan(10)
  })

  it('take the mean over the batch and the threshold from the layer', async () => {
    const [threshold, rangePenalty, batch] = [2, 0.3, 3]
    const grid = { step: 0.5, count: 16 }
    const network = createNetwork(
      {
        name: 'pulled',
        inputShape: [1],
        timeSteps: 1,
        layers: [
          { kind: 'linear', name: 'fc1', outFeatures: 1 },
          {
            kind: 'neuron',
            name: 'neurons',
            neuron: { kind: 'lif', beta: 0.5, threshold, reset: 'subtract' },
            surrogate: { kind: 'rectangle', width: 0.5 },
            grid,
            rangePenalty,
          },
          { kind: 'linear', name: 'fc2', outFeatures: 2 },
        ],
      },
      { precision: 'float64' },
    )
    const values = new Map(network.parameters.map((parameter) => [parameter.name, parameter]))
    values.get('fc1.weight')!.value.set([1])
    const clipped: number[] = []
    const signal = { data: Float64Array.of(-7, 1, 4.5), steps: 1, batch, shape: [1] }
    const output = await network.forward(signal, { training: true, observe: (a) => clipped.push(a.countClipped()) })
    expect(clipped).toEqual([2])
    await network.backward({ ...output, data: new Float64Array(output.data.length) })
    // borders -4.25 and 3.75
    const want = (rangePenalty / (batch * threshold ** 2)) * (-2.75 + 0.75)
    expect(values.get('fc1.bias')!.gradient[0]).toBeCloseTo(want, 12)
  })
})

describe('quantisation-aware training', () => {
  const [data, validation] = [toyDigits(500, 1), toyDigits(200, 2)]
  const loss = createLoss(toyRecipe.loss)
  const network = createNetwork(toyNetwork(), { seed: 3 })
  const { input } = new BatchCollector(data, 'float32').collect(Array.from({ length: 100 }, (_, i) => i))
  const recipe = { ...toyRecipe, epochs: 2, schedule: { learningRate: 0.01 } }
  beforeAll(async () => {
    await train(network, { data, recipe: { ...toyRecipe, epochs: 4 } })
  })

  it('clips less with a penalty, at the same accuracy', async () => {
    const folded = foldNormalization(network)
    const trained = async (rangePenalty: number) => {
      const quantized = await calibrateGrids(folded, input, { membraneCount: 64, coverage: 0.99, rangePenalty })
      await train(quantized, { data, recipe })
      const { accuracy } = await evaluate(quantized, validation, { loss })
      const { input: held } = new BatchCollector(validation, 'float32').collect(
        Array.from({ length: 200 }, (_, i) => i),
      )
      const clipped: number[] = []
      await quantized.forward(held, { observe: (a) => clipped.push(a.countClipped() / a.charged.length) })
      return { accuracy, clipped }
    }
    const [without, penalized] = [await trained(0), await trained(0.1)]
    expect(penalized.accuracy).toBeGreaterThanOrEqual(without.accuracy - 0.01)
    for (const [i, share] of penalized.clipped.entries()) {
      expect(without.clipped[i]).toBeGreaterThan(0.002)
      expect(share).toBeLessThan(without.clipped[i]! / 2)
    }
  })

  it('brings a network on 64 points to nearly the accuracy it had, and saves what it computes', async () => {
    const full = (await evaluate(network, validation, { loss })).accuracy
    const quantized = await calibrateGrids(foldNormalization(network), input, { membraneCount: 64 })
    await train(quantized, { data, recipe })
    expect((await evaluate(quantized, validation, { loss })).accuracy).toBeGreaterThan(full - 0.05)

    const charged = new Map<string, Float32Array>()
    await quantized.forward(input, { observe: (a) => charged.set(a.layer, Float32Array.from(a.charged)) })
    for (const layer of allLayers(quantized.description.layers)) {
      if (layer.kind !== 'neuron') continue
      const { step, count } = layer.grid!
      expect(count).toBe(64)
      expect(layer.neuron.threshold / step).toBeCloseTo(Math.round(layer.neuron.threshold / step), 9)
      for (const value of charged.get(layer.name)!)
        expect(value).toBe(Math.fround(nearestOnGrid(value, { step, count })))
    }
    const { network: loaded } = parseModel(encodeModel(quantized))
    expect((await loaded.forward(input)).data).toEqual((await quantized.forward(input)).data)
    const { weightGrid } = loaded.description.layers.find((l) => l.name === 'fc1') as { weightGrid: Grid }
    const weights = loaded.parameters.find((p) => p.name === 'fc1.weight')!.value
    for (const value of weights) expect(value).toBe(Math.fround(nearestOnGrid(value, weightGrid)))
  })

  it('puts all neurons on one grid, and the first weights where few values times them lie on it', async () => {
    const folded = foldNormalization(network)
    const grid = { step: 0.25, count: 32 }
    const options = { grid, inputGrid: { step: 0.5, count: 8 }, rangePenalty: 0.1 }
    const quantized = applyCommonGrid(folded, options)
    await train(quantized, { data, recipe: { ...recipe, epochs: 1 } })
    const stepOf = (name: string) => {
      const layer = quantized.description.layers.find((l) => l.name === name) as { weightGrid: WeightGrid }
      const { step, biasStep = step } = layer.weightGrid
      return [step, biasStep]
    }
    const { layers } = quantized.description
    for (const layer of layers) if (layer.kind === 'neuron') expect(layer).toMatchObject({ grid, rangePenalty: 0.1 })
    const [first] = layers.filter(({ kind }) => kind === 'conv2d')
    expect(stepOf(first!.name)).toEqual([0.5, 0.25])
    // the currents of the first layer need no rounding
    const bare = createNetwork(
      {
        ...roundWeights(quantized).description,
        timeSteps: 1,
        layers: layers.map((l) => (l.kind === 'neuron' ? { ...l, grid: undefined, rangePenalty: 0 } : l)),
      },
      { precision: 'float64' },
    )
    for (const [i, { value }] of roundWeights(quantized).state.entries()) bare.state[i]!.value.set(value)
    const seen: number[] = []
    await bare.forward(
      { ...input, data: Float64Array.from(input.data) },
      { observe: ({ charged }) => seen.length === 0 && seen.push(...charged) },
    )
    expect(seen.length).toBeGreaterThan(1000)
    for (const v of seen) expect(v / 0.25).toBeCloseTo(Math.round(v / 0.25), 9)
    expect(() => applyCommonGrid(folded, { grid: { step: 0.3, count: 32 } })).toThrow(/divides the threshold/)
    expect(() => applyCommonGrid(network, { grid })).toThrow(/fold the network/)
  })

  it('refuses networks that are not folded, and coverages that are none', async () => {
    const network = createNetwork(toyNetwork())
    const { input } = new BatchCollector(toyDigits(10, 1), 'float32').collect([0, 1])
    await expect(calibrateGrids(network, input, { membraneCount: 64 })).rejects.toThrow(/fold the network/)
    const folded = foldNormalization(network)
    await expect(calibrateGrids(folded, input, { membraneCount: 64, coverage: 0 })).rejects.toThrow(
      InvalidArgumentError,
    )
    await expect(calibrateGrids(folded, input, { membraneCount: 300 })).rejects.toThrow(/count/)
  })
})

describe('weights behind average pooling', () => {
  const neuron = (name: string) => ({
    kind: 'neuron' as const,
    name,
    // nothing leaks, so that the charged membranes themselves stay on the grid
    neuron: { kind: 'lif' as const, beta: 1, threshold: 0.75, reset: 'subtract' as const },
    surrogate: { kind: 'rectangle' as const, width: 0.5 },
  })
  const convolution = (name: string) => ({ kind: 'conv2d' as const, name, outChannels: 3, kernel: [3, 3], padding: 1 })
  const pool = (name: string, kernel: number) => ({ kind: 'averagePool2d' as const, name, kernel, stride: kernel })
  const recipe = {
    name: 'pooled',
    inputShape: [1, 12, 12],
    timeSteps: 4,
    layers: [
      convolution('conv1'),
      neuron('neurons1'),
      pool('pool1', 2),
      convolution('conv2'),
      pool('pool2', 2),
      neuron('neurons2'),
      {
        kind: 'residual' as const,
        name: 'block',
        main: [convolution('conv3'), neuron('neurons3')],
        shortcut: [convolution('conv4'), neuron('neurons4')],
      },
      pool('pool3', 3),
      { kind: 'flatten' as const, name: 'flatten' },
      { kind: 'linear' as const, name: 'fc1', outFeatures: 20 },
      neuron('neurons5'),
      { kind: 'linear' as const, name: 'fc2', outFeatures: 10 },
    ],
  } as NetworkRecipe

  it('keep every charged membrane on its grid before it is rounded', async () => {
    const input = { data: normals(8 * 144, 3), steps: 1, batch: 8, shape: [1, 12, 12] }
    const network = createNetwork(recipe, { precision: 'float64', seed: 4 })
    for (const { name, value } of network.parameters)
      if (name.endsWith('.bias')) value.set(normals(value.length, 5, 0.1))
    const quantized = await calibrateGrids(network, input, { membraneCount: 64 })
    const layers = new Map(allLayers(quantized.description.layers).map((layer) => [layer.name, layer]))
    const steps = (name: string) => {
      const { weightGrid } = layers.get(name) as { weightGrid: { step: number; biasStep?: number } }
      return weightGrid.biasStep === undefined ? 1 : Math.round(weightGrid.step / weightGrid.biasStep)
    }
    expect(['conv1', 'conv2', 'conv3', 'conv4', 'fc1'].map(steps)).toEqual([1, 16, 1, 1, 9])
    // without grids on the membranes, but with those of the weights: what is charged was not rounded
    const unrounded = (layer: LayerDescription): LayerDescription =>
      layer.kind === 'residual'
        ? ({ ...layer, main: layer.main.map(unrounded), shortcut: layer.shortcut.map(unrounded) } as LayerDescription)
        : layer.kind === 'neuron' && layer.name !== 'neurons1'
          ? { ...layer, grid: undefined }
          : layer
    const exact = createNetwork(
      { ...quantized.description, layers: quantized.description.layers.map(unrounded) },
      { precision: 'float64' },
    )
    for (const [i, { value }] of exact.state.entries()) value.set(quantized.state[i]!.value)
    const charged = new Map<string, Float64Array>()
    await exact.forward(input, { observe: (a) => charged.set(a.layer, Float64Array.from(a.charged)) })
    for (const name of ['neurons2', 'neurons3', 'neurons4', 'neurons5']) {
      const { step } = (layers.get(name) as { grid: Grid }).grid
      const values = charged.get(name)!
      expect(new Set(values).size).toBeGreaterThan(3)
      for (const v of values) expect(Math.abs(v / step - Math.round(v / step))).toBeLessThan(1e-9)
    }
  })
})
