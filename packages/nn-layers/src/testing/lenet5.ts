/** For tests: the LeNet-5 of 28 x 28 digits (conv 6@5x5, conv 16@5x5, 256-120-84-10) with random weights. */
import { type Layer, Model } from '@he-ml/model'
import { activation, averagePool2d, conv2d, flatten, linear } from '../index.ts'
import { randomTensor } from './run-layer.ts'

export function lenet5(fn: 'relu' | 'square' = 'relu'): Model {
  const conv = (name: string, shape: readonly number[], seed: number): Layer =>
    conv2d({ name, weights: randomTensor(shape, seed), bias: randomTensor([shape[0]!], seed + 1).data }).scaleInput(
      1 / Math.sqrt(shape[1]! * 25),
    )
  const full = (name: string, rows: number, columns: number, seed: number): Layer =>
    linear({
      name,
      weights: randomTensor([rows, columns], seed),
      bias: randomTensor([rows], seed + 1).data,
    }).scaleInput(1 / Math.sqrt(columns))
  const act = (name: string): Layer => activation({ name, function: fn })
  const layers = [
    conv('conv1', [6, 1, 5, 5], 1),
    act('act1'),
    averagePool2d({ name: 'pool1', kernel: 2 }),
    conv('conv2', [16, 6, 5, 5], 3),
    act('act2'),
    averagePool2d({ name: 'pool2', kernel: 2 }),
    flatten({ name: 'flatten' }),
    full('fc1', 120, 256, 5),
    act('act3'),
    full('fc2', 84, 120, 7),
    act('act4'),
    full('fc3', 10, 84, 9),
  ]
  return new Model({
    name: 'lenet5',
    input: { name: 'image', shape: [1, 28, 28] },
    nodes: layers.map((layer, i) => ({ layer, inputs: [i === 0 ? 'image' : layers[i - 1]!.name] })),
  })
}
