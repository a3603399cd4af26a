/** The very bootstraps under insecure parameters (N = 2^10), with seeded noise: what plans promise against what comes out. */

import { Model, type NodeDescription, type Tensor } from '@he-ml/model'
import { activation, add, conv2d, flatten, globalAveragePool, linear } from '@he-ml/nn-layers'
import { describe, expect, it } from 'vitest'
import {
  approximate,
  clearStage,
  compileInsecure,
  images,
  precisionBits,
  randomTensor,
  residual,
} from '../pipeline.test-helper.ts'
import { fit } from '../ready/fit.ts'
import { Runner } from '../run/run.ts'

/** As ResNet-20: a convolution, residual blocks, the average of every channel, and few logits in many slots. */
function pooledResidual(blocks: number): Model {
  const nodes: NodeDescription[] = []
  const put = (layer: NodeDescription['layer'], ...inputs: string[]): string => {
    nodes.push({ layer, inputs })
    return layer.name
  }
  const conv = (name: string, input: string, channels = 4): string => {
    const weights = randomTensor([4, channels, 3, 3], 3 * nodes.length + 1, channels === 1 ? 0.8 : 0.35)
    return put(conv2d({ name, weights, bias: randomTensor([4], nodes.length, 0.2).data, padding: 1 }), input)
  }
  const relu = (name: string, input: string): string => put(activation({ name, function: 'relu' }), input)
  let trunk = relu('relu', conv('stem', 'image', 1))
  for (let i = 0; i < blocks; i++) {
    const branch = conv(`b${i}`, relu(`r${i}`, conv(`a${i}`, trunk)))
    trunk = relu(`out${i}`, put(add({ name: `sum${i}` }), branch, trunk))
  }
  const flat = put(flatten({ name: 'flat' }), put(globalAveragePool({ name: 'pool' }), trunk))
  put(linear({ name: 'fc', weights: randomTensor([4, 4], 99), bias: randomTensor([4], 98).data }), flat)
  return new Model({ name: 'pooled', input: { name: 'image', shape: [1, 8, 8] }, nodes })
}

const RUNS = 5

async function bitsOf(model: Model, degree: number) {
  const calibration = await fit(model, images(30))
  const bound = await compileInsecure(model, 6, { calibration, activation: { degree, margin: 1.25 } })
  const got: Tensor[] = []
  const want: Tensor[] = []
  const stage = clearStage(bound, { seed: 21 })
  const runner = new Runner(bound, stage.engine)
  for (const image of images(RUNS, 7)) {
    const inputs = await stage.encrypt([image])
    const output = await runner.run(inputs)
    got.push(...(await stage.decrypt(output, 1)))
    want.push(approximate(bound.model, image))
    for (const handle of [...inputs, output]) handle.dispose()
  }
  return { predicted: bound.plan.report.precisionBits, measured: precisionBits(got, want) }
}

describe('predicted precision with bootstraps', () => {
  it.each([
    ['a residual network', () => residual(3), 7],
    ['one that ends in averages', () => pooledResidual(3), 7],
    ['one that ends in averages', () => pooledResidual(3), 15],
    ['a deeper one', () => pooledResidual(6), 7],
  ] as const)('%s, degree %#', async (_, make, degree) => {
    const { predicted, measured } = await bitsOf(make(), degree)
    console.log(`predicted ${predicted.toFixed(2)}, measured ${measured.toFixed(2)}`)
    expect(Math.abs(predicted - measured)).toBeLessThan(2)
  })
})
