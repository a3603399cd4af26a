import {
  type Ciphertext,
  type ClearEngine,
  createClearEngine,
  createPlanEngine,
  type Encoder,
  type Evaluator,
  insecureParameters,
} from '@he-ml/ckks-core'
import { foldFactors, forwardApproximate, isCalibrated, Model, type Tensor } from '@he-ml/model'
import {
  createBatchLayout,
  createMultiplexedLayout,
  gapsWanted,
  lowerLayer,
  PackedTensor,
  pack,
  type SlotLayout,
  unpack,
} from '@he-ml/packing'
import { describe, expect, it } from 'vitest'
import { activation, averagePool2d, batchNorm, conv2d, flatten, linear } from './index.ts'
import { lenet5 } from './testing/lenet5.ts'
import { largestDifference, randomTensor } from './testing/run-layer.ts'

type Engine = Encoder & Evaluator

/** What `compile` does to activations, by the ranges that these very images show. */
function calibrate(model: Model, images: readonly Tensor[]): Model {
  const reach = new Map<string, number>()
  for (const image of images)
    model.forward(image, ({ name }, [x]) => {
      const most = x!.data.reduce((a, b) => Math.max(a, Math.abs(b)), reach.get(name) ?? 0)
      reach.set(name, most)
    })
  const nodes = model.nodes.map((node) => {
    if (!isCalibrated(node.layer)) return node
    const max = reach.get(node.name)!
    const statistics = { count: 1, min: -max, max, mean: 0, std: max, histogram: new Float64Array(1) }
    return { ...node, layer: node.layer.calibrate(statistics, { margin: 1.1, degree: 7 }) }
  })
  return new Model({ name: model.name, input: model.input, nodes })
}

const approximate = (model: Model, image: Tensor): Tensor =>
  model.evaluate(image, ({ layer }, inputs) => forwardApproximate(layer, inputs))

const parametersOf = (logN: number) => insecureParameters({ logN, levels: 24, scaleBits: 36, dnum: 25 })

interface Walk {
  readonly engine: Engine
  readonly encrypt: (v: Float64Array) => Ciphertext
  readonly pause?: () => Promise<void>
}

/** Every layer in turn, lowered as `compile` does. */
async function walk(model: Model, images: readonly Tensor[], layout: SlotLayout, { engine, encrypt, pause }: Walk) {
  const { maxSlots, maxLevel } = engine.parameters
  let x = new PackedTensor(layout, pack(images, layout).map(encrypt))
  let depth = 0
  for (const { name, layer } of model.nodes) {
    const lowered = lowerLayer(layer, [x.layout], { maxSlots, gaps: gapsWanted(model, name) })
    using prepared = await lowered.prepare(engine, { level: x.level })
    const [y] = await prepared.apply(engine, [x], { budget: 2, ...(pause ? { pause } : {}) })
    x.dispose()
    x = y!
    depth += lowered.depth
  }
  expect(x.level).toBe(maxLevel - depth)
  return { output: x, depth }
}

/** On the clear engine: the outputs in the clear, and the depth. */
async function runModel(
  model: Model,
  images: readonly Tensor[],
  layout: SlotLayout,
  engine: ClearEngine,
  pause?: Walk['pause'],
) {
  const encrypt = (v: Float64Array): Ciphertext => engine.encryptClear(v)
  const { output, depth } = await walk(model, images, layout, { engine, encrypt, ...(pause ? { pause } : {}) })
  const vectors = output.ciphertexts.map((c) => engine.readClear(c).re)
  return { outputs: unpack(vectors, output.layout, images.length), depth }
}

describe('whole networks on the clear engine', () => {
  it('runs LeNet-5 on one digit, pooling folded away', async () => {
    const image = randomTensor([1, 28, 28], 11)
    const model = foldFactors(calibrate(lenet5(), [image])).model
    expect(model.nodes.map((n) => n.layer.kind)).toContain('sumPool2d')
    const layout = createMultiplexedLayout([1, 28, 28], { maxSlots: 16384 })
    // keys: exactly what the plan engine recorded on the same circuit
    const plan = createPlanEngine(parametersOf(15))
    const encrypt = (v: Float64Array): Ciphertext => plan.input({ slots: v.length })
    await walk(model, [image], layout, { engine: plan, encrypt })
    const keys = plan.report().keyRequest
    const { outputs, depth } = await runModel(model, [image], layout, createClearEngine(parametersOf(15), { keys }))
    expect(largestDifference(outputs[0]!, approximate(model, image))).toBeLessThan(1e-8)
    expect(depth).toBe(5 + 4 * 3)
    const noisy = createClearEngine(parametersOf(15), { noise: { seed: 7 }, keys })
    const disturbed = await runModel(model, [image], layout, noisy)
    expect(-Math.log2(largestDifference(disturbed.outputs[0]!, outputs[0]!))).toBeGreaterThan(12)
  })
  it('names the layer whose key is missing', async () => {
    const model = lenet5('square')
    const image = randomTensor([1, 28, 28], 11)
    const layout = createMultiplexedLayout([1, 28, 28], { maxSlots: 16384 })
    const engine = createClearEngine(parametersOf(15), { keys: { rotations: [] } })
    await expect(runModel(model, [image], layout, engine)).rejects.toThrow(/^layer "conv1": rotate: no rotation key/)
    expect(engine.memory().plaintexts).toBe(0)
  })
  it('runs a batch network with squares, and pauses on the way', async () => {
    const layers = [
      conv2d({ name: 'conv', weights: randomTensor([3, 1, 3, 3], 1), stride: 2, bias: randomTensor([3], 2).data }),
      batchNorm({ name: 'bn', mean: randomTensor([3], 3).data, variance: Float64Array.of(1, 2, 3) }),
      activation({ name: 'square', function: 'square' }),
      averagePool2d({ name: 'pool', kernel: 3 }),
      flatten({ name: 'flat' }),
      linear({ name: 'fc', weights: randomTensor([10, 48], 4), bias: randomTensor([10], 5).data }),
    ]
    const input = { name: 'image', shape: [1, 28, 28] }
    const nodes = layers.map((layer, i) => ({ layer, inputs: [i === 0 ? 'image' : layers[i - 1]!.name] }))
    const model = new Model({ name: 'batch', input, nodes })
    const { model: folded } = foldFactors(model)
    const images = [1, 2, 3, 4].map((seed) => randomTensor([1, 28, 28], seed))
    let pauses = 0
    const pause = (): Promise<void> => {
      pauses++
      return new Promise((resolve) => setImmediate(resolve))
    }
    const layout = createBatchLayout([1, 28, 28], { slots: 4 })
    const { outputs, depth } = await runModel(folded, images, layout, createClearEngine(parametersOf(10)), pause)
    outputs.forEach((output, b) => {
      expect(largestDifference(output, model.forward(images[b]!))).toBeLessThan(1e-9)
    })
    expect(depth).toBe(4)
    expect(pauses).toBeGreaterThan(0)
  })
})
