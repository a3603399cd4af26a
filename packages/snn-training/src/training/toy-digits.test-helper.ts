/** Digits of 8 x 8 pixels, generated: a 5 x 3 font, shifted, with noise; and a small spiking network for them. */

import type { NetworkRecipe } from '@he-ml/model/spiking'
import { RandomStream } from '../random/random-stream.ts'
import { arrayData, type LabelledData } from './data.ts'
import type { TrainingRecipeInput } from './recipe.ts'

const FONT = [
  '111101101101111',
  '010110010010111',
  '111001111100111',
  '111001111001111',
  '101101111001001',
  '111100111001111',
  '111100111101111',
  '111001001001001',
  '111101111101111',
  '111101111001111',
]

/** `count` digits, labels in turn. */
export function toyDigits(count: number, seed: number): LabelledData {
  const random = new RandomStream(seed)
  const samples = new Float32Array(count * 64)
  for (let n = 0; n < count; n++) {
    const [dy, dx] = [1 + random.below(2), 2 + random.below(2)]
    for (let i = 0; i < 64; i++) samples[n * 64 + i] = 0.1 * random.normal()
    for (let i = 0; i < 15; i++)
      if (FONT[n % 10]![i] === '1') samples[n * 64 + (dy + Math.floor(i / 3)) * 8 + dx + (i % 3)]! += 1
  }
  const labels = Uint8Array.from({ length: count }, (_, n) => n % 10)
  return arrayData(samples, labels, [1, 8, 8])
}

export const toyNetwork = (kind: 'lif' | 'qif' = 'lif', timeSteps = 3): NetworkRecipe => {
  const neuron =
    kind === 'lif'
      ? ({ kind, beta: 0.5, threshold: 1, reset: 'subtract' } as const)
      : ({ kind, a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset: 'zero' } as const)
  const surrogate = { kind: 'rectangle', width: 0.5 } as const
  return {
    name: `toy ${kind}`,
    inputShape: [1, 8, 8],
    timeSteps,
    layers: [
      { kind: 'conv2d', name: 'conv1', outChannels: 8, kernel: [3, 3], padding: 1 },
      { kind: 'tdBatchNorm', name: 'norm1', threshold: 1 },
      { kind: 'neuron', name: 'spike1', neuron, surrogate },
      { kind: 'flatten', name: 'flat' },
      { kind: 'dropout', name: 'drop', rate: 0.05 },
      { kind: 'linear', name: 'fc1', outFeatures: 40 },
      { kind: 'tdBatchNorm', name: 'norm2', threshold: 1 },
      { kind: 'neuron', name: 'spike2', neuron, surrogate },
      { kind: 'linear', name: 'fc2', outFeatures: 10 },
    ],
  }
}

export const toyRecipe: TrainingRecipeInput = {
  epochs: 3,
  batchSize: 25,
  seed: 11,
  loss: { kind: 'tet', lambda: 0.05, target: 1 },
  optimizer: { kind: 'adam' },
  schedule: { learningRate: 0.01, warmupSteps: 5 },
}
