/** Small networks whose plans are compared with what happens: seeded weights, images of 8 x 8 or 24 x 24. */

import { createTensor, Model, type NodeDescription, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import { activation, add, conv2d, flatten, linear } from '@he-ml/nn-layers'
import { randomSource } from '../bootstrapping/random-slots.ts'

/** Uniform values in [-size, size]. */
export function seededTensor(shape: Shape, seed: number, size = 1): Tensor {
  const uniform = randomSource(seed)
  return createTensor(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, () => size * (2 * uniform() - 1)),
  )
}

const conv = (name: string, shape: Shape, seed: number, [size, bias, spread]: readonly [number, number, number]) =>
  conv2d({
    name,
    weights: seededTensor(shape, seed, size),
    bias: seededTensor([shape[0]!], seed + 1, spread).data.map((b) => bias + b),
    padding: 1,
  })

const end = (classes: number, inputs: number, from: string): NodeDescription[] => [
  { layer: flatten({ name: 'flat' }), inputs: [from] },
  { layer: linear({ name: 'fc', weights: seededTensor([classes, inputs], 991, 0.2) }), inputs: ['flat'] },
]

/** Two convolutions with ReLU and a linear layer on 24 x 24: no bootstrap. */
export function leveled(): Model {
  const nodes: NodeDescription[] = [
    { layer: conv('conv1', [4, 1, 3, 3], 1, [0.3, 0, 0.2]), inputs: ['image'] },
    { layer: activation({ name: 'act1', function: 'relu' }), inputs: ['conv1'] },
    { layer: conv('conv2', [4, 4, 3, 3], 3, [0.2, 0, 0.2]), inputs: ['act1'] },
    { layer: activation({ name: 'act2', function: 'relu' }), inputs: ['conv2'] },
    ...end(10, 2304, 'act2'),
  ]
  return new Model({ name: 'leveled', input: { name: 'image', shape: [1, 24, 24] }, nodes })
}

/** Convolutions and squares, which stay near (0.7)^2. */
export function squares(blocks: number): Model {
  const nodes = Array.from({ length: blocks }, (_, i): NodeDescription[] => [
    {
      layer: conv(`conv${i}`, [2, i === 0 ? 1 : 2, 3, 3], 10 * i + 1, [0.06, 0.7, 0.1]),
      inputs: [i === 0 ? 'image' : `act${i - 1}`],
    },
    { layer: activation({ name: `act${i}`, function: 'square' }), inputs: [`conv${i}`] },
  ]).flat()
  const all = [...nodes, ...end(3, 128, `act${blocks - 1}`)]
  return new Model({ name: 'squares', input: { name: 'image', shape: [1, 8, 8] }, nodes: all })
}

/** Blocks of convolution, ReLU, convolution and a sum with what came in, then ReLU. */
export function residual(blocks: number): Model {
  const relu = (name: string, input: string): NodeDescription => ({
    layer: activation({ name, function: 'relu' }),
    inputs: [input],
  })
  const nodes: NodeDescription[] = [
    { layer: conv('stem', [2, 1, 3, 3], 1, [0.8, 0, 0.2]), inputs: ['image'] },
    relu('out', 'stem'),
  ]
  let last = 'out'
  for (let i = 0; i < blocks; i++) {
    const own = (seed: number) => conv(`${seed === 3 ? 'a' : 'b'}${i}`, [2, 2, 3, 3], 20 * i + seed, [0.4, 0, 0.2])
    nodes.push({ layer: own(3), inputs: [last] }, relu(`r${i}`, `a${i}`))
    nodes.push({ layer: own(5), inputs: [`r${i}`] })
    nodes.push({ layer: add({ name: `sum${i}` }), inputs: [`b${i}`, last] }, relu(`out${i}`, `sum${i}`))
    last = `out${i}`
  }
  const all = [...nodes, ...end(3, 128, last)]
  return new Model({ name: 'residual', input: { name: 'image', shape: [1, 8, 8] }, nodes: all })
}
