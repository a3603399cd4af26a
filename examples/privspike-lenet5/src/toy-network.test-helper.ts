/** A small spiking network for digits, always the same: a coarse convolution, neurons, 8 more, scores. Weights are multiples of the grid's step. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkNetwork, encodeSpikingModel, type SpikingModel, tensorShapes } from '@he-ml/model/spiking'

export const TOY_GRID = { step: 0.25, count: 16 } as const

/** @param grid whether neurons decide on points */
export function toyNetwork(grid: boolean, inputShape: readonly number[] = [1, 28, 28]): SpikingModel {
  const neurons = (name: string) => ({
    ...{ kind: 'neuron', name, neuron: { kind: 'lif', beta: 0.5, threshold: 0.75, reset: 'subtract' } },
    surrogate: { kind: 'rectangle', width: 1 },
    ...(grid ? { grid: TOY_GRID } : {}),
  })
  const network = checkNetwork({
    ...{ name: 'toy', inputShape, timeSteps: 2, inputGrid: { step: 1, count: 4 } },
    layers: [
      { kind: 'conv2d', name: 'conv1', outChannels: 1, kernel: [7, 7], stride: 7 },
      neurons('neurons1'),
      { kind: 'flatten', name: 'flatten' },
      { kind: 'linear', name: 'fc1', outFeatures: 8 },
      neurons('neurons2'),
      { kind: 'linear', name: 'fc2', outFeatures: 10 },
    ],
  })
  const tensors = new Map(
    tensorShapes(network.layers, network.inputShape).map(({ name, shape }, n) => {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
        i % (n === 0 ? 11 : 3) === 0 ? 0.25 * (((7 * i + 3 * n) % 5) - 1) : 0,
      )
      return [name, { shape, data }]
    }),
  )
  return { network, tensors, about: {} }
}

/** A folder with the two files of the toy network, toy.json and toy.safetensors. */
export async function toyFolder(
  grid: boolean,
): Promise<AsyncDisposable & { readonly path: string; readonly model: string }> {
  const path = await mkdtemp(join(tmpdir(), 'he-ml-privspike-test-'))
  const { description, weights } = encodeSpikingModel(toyNetwork(grid))
  const model = join(path, 'toy.json')
  await writeFile(model, description)
  await writeFile(join(path, 'toy.safetensors'), weights)
  return { path, model, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Surroundings that show nothing and keep what is said. */
export const silent = (said: string[] = [], signal: AbortSignal = new AbortController().signal) => ({
  say: (line: string) => void said.push(line),
  startBar: () => ({ update: () => {}, stop: () => {} }),
  signal,
})
