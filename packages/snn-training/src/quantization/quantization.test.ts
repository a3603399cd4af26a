import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createNeuron, hardSpike, logisticSpike } from '@he-ml/snn-neurons'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeModel, parseModel } from '../files/model-file.ts'
import { gridCell, plainCell } from '../layers/neuron-cell.ts'
import { createLoss } from '../losses/loss.ts'
import { allLayers } from '../network/all-layers.ts'
import { foldNormalization } from '../network/fold.ts'
import { createNetwork } from '../network/network.ts'
import { normals } from '../testing.test-helper.ts'
import { collectBatch } from '../training/data.ts'
import { evaluate } from '../training/evaluate.ts'
import { toyDigits, toyNetwork, toyRecipe } from '../training/toy-digits.test-helper.ts'
import { train } from '../training/train.ts'
import { calibrateGrids } from './calibrate-grids.ts'
import { type Grid, gridRange, isInsideGrid, nearestOnGrid, stopOutsideGrid } from './grid.ts'

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
  })
})

describe('neurons on a grid', () => {
  const neurons = (['subtract', 'zero', 'none'] as const).flatMap((reset) => [
    createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset }),
    createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset }),
  ])
  const count = 500
  const state = { previous: normals(count, 1, 0.6), input: normals(count, 2) }
  const results = () => ({
    spike: new Float64Array(count),
    membranePotential: new Float64Array(count),
    charged: new Float64Array(count),
  })

  it.each(neurons)('step like neurons whose charged membrane is rounded: %j', (neuron) => {
    const grid = { step: 0.125, count: 64 }
    const [exact, rounded] = [results(), results()]
    plainCell(neuron, hardSpike(1), false).forward(state, exact)
    gridCell(neuron, grid, hardSpike(1), false).forward(state, rounded)
    for (let i = 0; i < count; i++) {
      const v = nearestOnGrid(exact.charged[i]!, grid)
      const spike = v >= 1 ? 1 : 0
      expect(rounded.charged[i]).toBe(v)
      expect(rounded.spike[i]).toBe(spike)
      expect(rounded.membranePotential[i]! + 0).toBe(
        spike === 0 || neuron.reset === 'none' ? v : neuron.reset === 'zero' ? 0 : v - 1,
      )
    }
  })

  it.each(neurons)('have the gradients of neurons without a grid as the step goes to 0: %j', (neuron) => {
    const gradients = (cell: ReturnType<typeof plainCell>) => {
      const [carried, input] = [normals(count, 3), new Float64Array(count)]
      cell.backward(state, normals(count, 4), carried, input)
      return { carried, input }
    }
    const smooth = logisticSpike(1, 0.3)
    for (const detach of [false, true]) {
      const want = gradients(plainCell(neuron, smooth, detach))
      const got = gradients(gridCell(neuron, { step: 2 ** -30, count: 2 ** 36 }, smooth, detach))
      for (let i = 0; i < count; i++) {
        expect(got.carried[i]).toBeCloseTo(want.carried[i]!, 6)
        expect(got.input[i]).toBeCloseTo(want.input[i]!, 6)
      }
    }
  })

  it('get no gradient where they are clipped', () => {
    const cell = gridCell(neurons[0]!, { step: 0.25, count: 4 }, logisticSpike(1, 0.3), false)
    const at = { previous: Float64Array.of(0, 0, 0), input: Float64Array.of(-3, 0.1, 3) }
    const input = new Float64Array(3)
    cell.backward(at, Float64Array.of(1, 1, 1), Float64Array.of(1, 1, 1), input)
    expect(input[0]).toBe(0)
    expect(input[1]).not.toBe(0)
    expect(input[2]).toBe(0)
  })
})

describe('quantisation-aware training', () => {
  it('brings a network on 64 points to nearly the accuracy it had, and saves what it computes', async () => {
    const data = toyDigits(500, 1)
    const validation = toyDigits(200, 2)
    const loss = createLoss(toyRecipe.loss)
    const network = createNetwork(toyNetwork(), { seed: 3 })
    await train(network, { data, recipe: { ...toyRecipe, epochs: 4 } })
    const full = (await evaluate(network, validation, { loss })).accuracy
    const { input } = collectBatch(
      data,
      Array.from({ length: 100 }, (_, i) => i),
      'float32',
    )
    const quantized = await calibrateGrids(foldNormalization(network), input, { membraneCount: 64 })
    const recipe = { ...toyRecipe, epochs: 2, schedule: { learningRate: 0.01 } }
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

  it('refuses networks that are not folded, and coverages that are none', async () => {
    const network = createNetwork(toyNetwork())
    const { input } = collectBatch(toyDigits(10, 1), [0, 1], 'float32')
    await expect(calibrateGrids(network, input, { membraneCount: 64 })).rejects.toThrow(/fold the network/)
    const folded = foldNormalization(network)
    await expect(calibrateGrids(folded, input, { membraneCount: 64, coverage: 0 })).rejects.toThrow(
      InvalidArgumentError,
    )
    await expect(calibrateGrids(folded, input, { membraneCount: 300 })).rejects.toThrow(/count/)
  })
})
