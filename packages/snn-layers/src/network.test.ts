/** A recurrent network from the model to the last ciphertext, by hand: calibrated, folded, unrolled, lowered, run. */
import {
  type Ciphertext,
  createClearEngine,
  createPlanEngine,
  type Encoder,
  type Evaluator,
  insecureParameters,
  type KeyRequest,
  toLevel,
} from '@he-ml/ckks-core'
import {
  createTensor,
  foldFactors,
  forwardAll,
  forwardApproximate,
  isCalibrated,
  Model,
  observedBy,
  sizeOf,
  type Tensor,
  unroll,
} from '@he-ml/model'
import type { Neuron } from '@he-ml/model/spiking'
import { averagePool2d, conv2d, flatten, linear } from '@he-ml/nn-layers'
import {
  createBatchLayout,
  createMultiplexedLayout,
  gapsWanted,
  lowerLayer,
  PackedTensor,
  type PreparedLayer,
  pack,
  type SlotLayout,
  unpack,
} from '@he-ml/packing'
import { normalAt } from '@he-ml/snn-neurons'
import { describe, expect, it } from 'vitest'
import { polynomialSpikeStep } from './polynomial-step.ts'
import { spiking } from './spiking-layer.ts'

const STEPS = 3
const random = (seed: number, ...shape: number[]): Tensor =>
  createTensor(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => 0.5 * normalAt(seed, i)),
  )
const images = (count: number, seed: number): Tensor[] =>
  Array.from({ length: count }, (_, b) => random(seed + b, 1, 6, 6))

function network(neuron: Neuron): Model {
  const step = polynomialSpikeStep({ degrees: [7, 7] })
  const layers = [
    conv2d({ name: 'conv', weights: random(1, 2, 1, 3, 3), bias: Float64Array.of(0.5, 0.25) }),
    spiking({ name: 'lif1', neuron, step }),
    averagePool2d({ name: 'pool', kernel: 2 }),
    flatten({ name: 'flat' }),
    linear({ name: 'fc1', weights: random(2, 5, 8) }),
    spiking({ name: 'lif2', neuron, step }),
    linear({ name: 'fc2', weights: random(3, 3, 5), bias: Float64Array.of(0.1, -0.1, 0) }),
  ]
  const nodes = layers.map((layer, i) => {
    const before = layers[i - 1]
    if (!before) return { layer, inputs: ['image'] }
    return { layer, inputs: ['outputs' in before ? `${before.name}/spike` : before.name] }
  })
  const states = ['lif1', 'lif2'].map((node) => ({ value: `${node}/membrane`, node, input: 1 }))
  const input = { name: 'image', shape: [1, 6, 6] }
  return new Model({ name: 'toy', input, nodes, states, steps: STEPS, readout: 'mean' })
}

/** What `fit` and `compile` do to calibrated layers. */
function calibrate(model: Model, data: readonly Tensor[]): Model {
  const seen = new Map<string, number[]>()
  for (const image of data)
    model.evaluate(image, ({ name, layer }, inputs) => {
      if (isCalibrated(layer)) seen.set(name, [...(seen.get(name) ?? []), ...observedBy(layer, inputs).data])
      return forwardAll(layer, inputs)
    })
  const nodes = model.nodes.map((node) => {
    if (!isCalibrated(node.layer)) return node
    const values = seen.get(node.name)!
    const [min, max] = [Math.min(...values), Math.max(...values)]
    const histogram = new Float64Array(128)
    for (const v of values) histogram[Math.min(127, Math.floor(((v - min) / (max - min)) * 128))]!++
    const statistics = { count: values.length, min, max, mean: 0, std: 1, histogram }
    return { ...node, layer: node.layer.calibrate(statistics, { margin: 1.5, degree: 7 }) }
  })
  const { name, input, output, states, steps, readout } = model
  return new Model({ name, input, nodes, output, states, steps, readout })
}

type Engine = Encoder & Evaluator

/** Every node in turn; weights are prepared once for all nodes that share a layer and its level. */
async function run(model: Model, layout: SlotLayout, engine: Engine, input: readonly Ciphertext[]) {
  const values = new Map([[model.input.name, new PackedTensor(layout, input)]])
  const prepared = new Map<unknown, Map<string, PreparedLayer>>()
  for (const { name, layer, inputs, values: results } of model.nodes) {
    const given = inputs.map((i) => values.get(i)!)
    const level = Math.min(...given.map((t) => t.level))
    const layouts = given.map((t) => t.layout)
    const lowered = lowerLayer(layer, layouts, { maxSlots: 512, gaps: gapsWanted(model, name) })
    const variants = prepared.get(layer) ?? new Map<string, PreparedLayer>()
    prepared.set(layer, variants)
    const key = JSON.stringify([level, layouts])
    const ready = variants.get(key) ?? (await lowered.prepare(engine, { level }))
    variants.set(key, ready)
    const aligned = given.map(
      (t) =>
        new PackedTensor(
          t.layout,
          t.ciphertexts.map((c) => toLevel(engine, c, level)),
        ),
    )
    for (const [i, output] of (await ready.apply(engine, aligned)).entries()) values.set(results[i]!, output)
  }
  const preparations = [...prepared.values()].reduce((sum, variants) => sum + variants.size, 0)
  return { output: values.get(model.output)!, preparations }
}

const neurons: [string, Neuron, number][] = [
  ['lif', { kind: 'lif', beta: 0.6, threshold: 0.8, reset: 'subtract' }, 6],
  ['lif, reset to zero', { kind: 'lif', beta: 0.6, threshold: 0.8, reset: 'zero' }, 7],
  ['qif', { kind: 'qif', a: 0.25, u1: -0.125, u2: 0.5, threshold: 0.75, reset: 'subtract' }, 7],
]

describe.each(neurons)('a network of %s over three time steps', (_, neuron, depth) => {
  const parameters = insecureParameters({ logN: 10, levels: 34, scaleBits: 40, dnum: 35 })
  const exact = network(neuron)
  const ready = foldFactors(calibrate(exact, images(20, 100))).model
  const plain = unroll(ready)
  // conv, every step of the first neurons, fc1, the last step of the second neurons, fc2; nothing for pooling, ranges, the mean
  const wanted = 1 + STEPS * depth + 1 + depth + 1

  it.each([
    ['one image', createMultiplexedLayout([1, 6, 6], { maxSlots: 512 }), 1],
    ['a batch', createBatchLayout([1, 6, 6], { slots: 4 }), 3],
  ] as const)('takes only the levels of its steps and weights: %s', async (_, layout, count) => {
    const engine = createClearEngine(parameters)
    const given = images(count, 7)
    const { output, preparations } = await run(
      plain,
      layout,
      engine,
      pack(given, layout).map((v) => engine.encryptClear(v)),
    )
    expect(output.level).toBe(parameters.maxLevel - wanted)
    expect(preparations).toBeLessThanOrEqual(plain.nodes.length)
    const results = unpack(
      output.ciphertexts.map((c) => engine.readClear(c).re),
      output.layout,
      count,
    )
    for (const [b, image] of given.entries()) {
      const soft = plain.evaluate(image, ({ layer }, inputs) => forwardApproximate(layer, inputs))
      const rolled = ready.evaluate(image, ({ layer }, inputs) => forwardApproximate(layer, inputs))
      expect(soft.data).toEqual(rolled.data)
      for (const [i, v] of soft.data.entries()) expect(results[b]!.data[i]!).toBeCloseTo(v, 6)
      const hard = exact.forward(image)
      for (const [i, v] of ready.forward(image).data.entries()) expect(v).toBeCloseTo(hard.data[i]!, 9)
    }
  })

  it('is predicted to within 2 bits of what noise makes of it', async () => {
    const layout = createBatchLayout([1, 6, 6], { slots: 512 })
    const plan = createPlanEngine(parameters)
    const sketched = await run(
      plain,
      layout,
      plan,
      Array.from({ length: layout.ciphertexts }, () => plan.input({ slots: layout.slots })),
    )
    const keys = plan.report().keyRequest
    const predicted = sketched.output.ciphertexts.map((c) => plan.estimate(c).error)
    const engine = createClearEngine(parameters, { keys: keys as KeyRequest, noise: { seed: 5 } })
    const given = images(512, 1000)
    const { output } = await run(
      plain,
      layout,
      engine,
      pack(given, layout).map((v) => engine.encryptClear(v)),
    )
    const results = unpack(
      output.ciphertexts.map((c) => engine.readClear(c).re),
      output.layout,
      given.length,
    )
    const squares = [0, 0, 0]
    for (const [b, image] of given.entries()) {
      const soft = plain.evaluate(image, ({ layer }, inputs) => forwardApproximate(layer, inputs))
      for (const [i, v] of soft.data.entries()) squares[i]! += (results[b]!.data[i]! - v) ** 2 / given.length
    }
    for (const [i, square] of squares.entries())
      expect(Math.abs(Math.log2(Math.sqrt(square) / predicted[i]!)), `output ${i}`).toBeLessThan(2)
  })
})
