import { readFileSync } from 'node:fs'
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { createTensor, type Model, type Tensor } from '@he-ml/model'
import {
  checkNetwork,
  parseSpikingModel,
  type SpikingModel,
  type SpikingModelFiles,
  tensorShapes,
} from '@he-ml/model/spiking'
import { normalAt } from '@he-ml/snn-neurons'
import { createNetwork, meanOverTime } from '@he-ml/snn-training'
import { describe, expect, it } from 'vitest'
import { functionalSpikeStep } from './functional-step.ts'
import { buildSpikingModel, importSpikingModel, type NeuronsRead } from './import-spiking-model.ts'
import { SpikingLayer } from './spiking-layer.ts'

const folder = new URL('../../../examples/train-spiking-lenet5/models/', import.meta.url)
const read = (name: string): SpikingModelFiles => ({
  description: readFileSync(new URL(`${name}.json`, folder), 'utf8'),
  weights: readFileSync(new URL(`${name}.safetensors`, folder)),
})

const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const
const surrogate = { kind: 'rectangle', width: 1 } as const

/** Random weights for a description. */
function random(description: unknown): SpikingModel {
  const network = checkNetwork(description)
  const tensors = new Map(
    tensorShapes(network.layers, network.inputShape).map(({ name, shape }, n) => {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.5 * normalAt(n, i))
      return [name, { shape, data }]
    }),
  )
  return { network, tensors, about: {} }
}

/** Spikes of all neurons over time, and the result, of a network of snn-training in double precision. */
async function trained({ network, tensors }: SpikingModel, input: Tensor) {
  // weights on a grid are kept rounded, to single precision: rounded anew they would be other doubles
  const layers = network.layers.map((layer) => {
    if (layer.kind !== 'conv2d' && layer.kind !== 'linear') return layer
    const { weightGrid: _, ...rest } = layer
    return rest
  })
  const same = createNetwork({ ...network, layers }, { precision: 'float64' })
  for (const { name, value } of same.state) value.set(tensors.get(name)!.data)
  const spikes = new Map<string, number[]>()
  const steps = network.inputTime === 'perStep' ? network.timeSteps : 1
  const output = await same.forward(
    { data: input.data, steps, batch: 1, shape: network.inputShape },
    { observe: (activity) => spikes.set(activity.layer, [...activity.spikes]) },
  )
  return { spikes, result: meanOverTime(output) }
}

function imported(model: Model, input: Tensor) {
  const spikes = new Map<string, number[]>()
  const result = model.evaluate(input, ({ name, layer }, inputs) => {
    if (!('outputs' in layer)) return [layer.forward(inputs)]
    const outputs = layer.forwardAll(inputs)
    spikes.set(name, [...(spikes.get(name) ?? []), ...outputs[0]!.data])
    return outputs
  })
  return { spikes, result }
}

async function expectSame(spikingModel: SpikingModel, inputs: readonly Tensor[]): Promise<number> {
  const model = buildSpikingModel(spikingModel)
  let fired = 0
  for (const input of inputs) {
    const [want, got] = [await trained(spikingModel, input), imported(model, input)]
    expect([...got.spikes.keys()].sort()).toEqual([...want.spikes.keys()].sort())
    for (const [layer, spikes] of want.spikes) {
      expect(got.spikes.get(layer), layer).toEqual(spikes)
      fired += spikes.filter((s) => s === 1).length
    }
    for (const [i, v] of got.result.data.entries()) expect(v).toBeCloseTo(want.result[i]!, 10)
  }
  return fired
}

/** Blobs of strokes, as digits are; the shipped models take pixels from 0 to 1. */
const digit = (seed: number): Tensor =>
  createTensor(
    [1, 28, 28],
    Float64Array.from({ length: 784 }, (_, i) => {
      const [y, x] = [Math.floor(i / 28) - 14, (i % 28) - 14]
      const ring = Math.abs(Math.hypot(x, y + seed) - 7) < 1.5 || Math.abs(x - seed) < 1.2
      return ring ? 1 : 0
    }),
  )

/** Event counts of five frames, of a ring that moves. */
const recording = (seed: number): Tensor =>
  createTensor(
    [5, 2, 34, 34],
    Float64Array.from({ length: 5 * 2 * 34 * 34 }, (_, i) => {
      const [t, c] = [Math.floor(i / 2312), Math.floor(i / 1156) % 2]
      const [y, x] = [(Math.floor(i / 34) % 34) - 17, (i % 34) - 17]
      const distance = Math.hypot(x - t + 2, y + c - seed) - 8
      return Math.abs(distance) < 1.5 ? (1 + ((i + seed) % 4)) / 4 : 0
    }),
  )

describe('trained models', () => {
  it.each(['mnist-lif-t2', 'mnist-lif-t4', 'mnist-lif-t4-grid', 'mnist-qif-t2-grid', 'mnist-qif-t4'])(
    '%s fires every spike that the trainer does',
    async (name) => {
      const files = read(name)
      const model = importSpikingModel(files)
      const { network } = parseSpikingModel(files)
      expect([model.steps, model.readout]).toEqual([network.timeSteps, 'mean'])
      expect([...model.stepwise]).not.toContain('conv1')
      expect(model.states.map(({ node }) => node)).toEqual(['neurons1', 'neurons2', 'neurons3', 'neurons4'])
      expect(await expectSame(parseSpikingModel(files), [digit(0), digit(3)])).toBeGreaterThan(1000)
    },
  )
  it('asks for the step of each layer of neurons, if it may', () => {
    const asked: NeuronsRead[] = []
    const model = importSpikingModel(read('mnist-lif-t2-grid'), {
      step: (neurons) => {
        asked.push(neurons)
        return neurons.name === 'neurons1' ? functionalSpikeStep() : undefined
      },
    })
    expect(asked.map(({ name, grid }) => [name, grid?.step])).toEqual(
      ['neurons1', 'neurons2', 'neurons3', 'neurons4'].map((name) => [name, 1 / 8]),
    )
    expect(asked[0]!.neuron).toMatchObject({ kind: 'lif', threshold: 0.75, reset: 'subtract' })
    const steps = model.nodes.flatMap(({ layer }) => (layer instanceof SpikingLayer ? [layer.step.kind] : []))
    expect(steps).toEqual(['functional', 'polynomial', 'polynomial', 'polynomial'])
  })

  it('rounds its input to the few values that the network reads', async () => {
    const layers = [
      { kind: 'flatten', name: 'flat' },
      { kind: 'linear', name: 'fc1', outFeatures: 12 },
      { kind: 'neuron', name: 'spikes', neuron, surrogate, grid: { step: 0.25, count: 64 } },
      { kind: 'linear', name: 'fc2', outFeatures: 3 },
    ]
    const base = { name: 'few', inputShape: [1, 3, 3], timeSteps: 3, layers }
    const few = random({ ...base, inputGrid: { step: 0.5, count: 8 } })
    const inputs = [1, 2, 3, 4].map((seed) =>
      createTensor(
        [1, 3, 3],
        Float64Array.from({ length: 9 }, (_, i) => normalAt(seed, i)),
      ),
    )
    expect(await expectSame(few, inputs)).toBeGreaterThan(10)
    expect(buildSpikingModel(few).input.grid).toEqual({ step: 0.5, count: 8 })
    expect('grid' in buildSpikingModel(random(base)).input).toBe(false)
  })

  it('nmnist-lif-t5 reads a frame for each step, and fires every spike that the trainer does', async () => {
    const files = read('nmnist-lif-t5')
    const model = importSpikingModel(files)
    expect(model.input).toEqual({ name: 'input', shape: [2, 34, 34], time: 'perStep' })
    expect(model.inputShape).toEqual([5, 2, 34, 34])
    expect([...model.stepwise]).toContain('conv1')
    expect(await expectSame(parseSpikingModel(files), [recording(0), recording(3)])).toBeGreaterThan(1000)
  })
  it('nmnist-lif-t5-grid does so, too, and reads quarters', async () => {
    const files = read('nmnist-lif-t5-grid')
    expect(importSpikingModel(files).input.grid).toEqual({ step: 0.25, count: 16 })
    expect(await expectSame(parseSpikingModel(files), [recording(0), recording(3)])).toBeGreaterThan(1000)
  })
  it('are refused when they are damaged', () => {
    const files = read('mnist-lif-t2')
    const weights = files.weights.slice()
    weights[weights.length - 1]! ^= 1
    expect(() => importSpikingModel({ ...files, weights })).toThrow(FormatError)
  })
})

describe('other networks', () => {
  const base = { name: 'net', inputShape: [2, 6, 6], timeSteps: 3 }
  const end = [
    { kind: 'flatten', name: 'flat' },
    { kind: 'linear', name: 'fc', outFeatures: 3, bias: false },
  ]
  const inputs = [1, 2, 3].map((seed) =>
    createTensor(
      [2, 6, 6],
      Float64Array.from({ length: 72 }, (_, i) => normalAt(seed, i)),
    ),
  )
  it('with residual blocks, affine maps, groups and strides', async () => {
    const spikes = (name: string) => ({ kind: 'neuron', name, neuron, surrogate })
    const conv = { kind: 'conv2d', outChannels: 4, kernel: [3, 3], padding: 1 }
    const layers = [
      { ...conv, name: 'input', groups: 2 },
      spikes('n1'),
      {
        kind: 'residual',
        name: 'block',
        main: [
          { ...conv, name: 'c2', stride: 2 },
          { kind: 'affine', name: 'a' },
          spikes('n2'),
          { ...conv, name: 'c3' },
        ],
        shortcut: [{ ...conv, name: 'c4', kernel: [1, 1], padding: 0, stride: 2, bias: false }],
      },
      spikes('n3'),
      ...end,
    ]
    expect(await expectSame(random({ ...base, layers }), inputs)).toBeGreaterThan(100)
  })
  it('without neurons still take the mean over frames', async () => {
    const model = random({ ...base, inputTime: 'perStep', layers: end })
    expect(buildSpikingModel(model)).toMatchObject({ steps: 3, states: [], readout: 'mean' })
    const frames = createTensor(
      [3, 2, 6, 6],
      Float64Array.from({ length: 216 }, (_, i) => normalAt(4, i)),
    )
    await expectSame(model, [frames])
  })
  it('without neurons take no time', async () => {
    const model = random({ ...base, layers: end })
    expect(buildSpikingModel(model)).toMatchObject({ steps: 1, states: [] })
    await expectSame(model, inputs)
  })
  it.each([
    [[{ kind: 'maxPool2d', name: 'p', kernel: 2, stride: 2 }], /"p" \(maxPool2d\) .* average pooling/],
    [
      [{ kind: 'neuron', name: 'n', surrogate, output: 'membrane', neuron: { ...neuron, reset: 'none' } }],
      /"n" \(neuron\) gives membrane potentials/,
    ],
    [[{ kind: 'neuron', name: 'n', surrogate, neuron: { ...neuron, beta: 0 } }], /"n" \(neuron\) has beta 0/],
    [[{ kind: 'dropout', name: 'd', rate: 0.5 }], /"d" \(dropout\) .* fold it/],
  ])('with layers that cannot run encrypted are refused: %j', (layers, message) => {
    const build = () => buildSpikingModel(random({ ...base, layers: [...layers, ...end] }))
    expect(build).toThrow(UnsupportedError)
    expect(build).toThrow(message)
  })
})
