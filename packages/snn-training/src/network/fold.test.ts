import type { NetworkRecipe } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import type { Signal } from '../tensor/signal.ts'
import { normals } from '../testing.test-helper.ts'
import { foldNormalization } from './fold.ts'
import { createNetwork, type Network } from './network.ts'

const surrogate = { kind: 'rectangle', width: 0.5 } as const
const lif = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const
const norm = (name: string) => ({ kind: 'tdBatchNorm', name, threshold: 1 }) as const
const spiking: NetworkRecipe = {
  name: 'fold',
  inputShape: [2, 8, 8],
  timeSteps: 4,
  layers: [
    { kind: 'conv2d', name: 'conv1', outChannels: 6, kernel: [3, 3], padding: 1 },
    norm('norm1'),
    { kind: 'neuron', name: 'spike1', neuron: lif, surrogate },
    {
      kind: 'residual',
      name: 'block',
      main: [{ kind: 'conv2d', name: 'conv2', outChannels: 6, kernel: [3, 3], padding: 1, bias: false }, norm('norm2')],
      shortcut: [norm('norm3')],
    },
    { kind: 'neuron', name: 'spike2', neuron: lif, surrogate },
    { kind: 'averagePool2d', name: 'pool', kernel: 2, stride: 2 },
    norm('norm4'),
    { kind: 'flatten', name: 'flat' },
    { kind: 'linear', name: 'fc', outFeatures: 5 },
    norm('norm5'),
  ],
}
const input: Signal = {
  data: Float32Array.from(normals(4 * 8 * 128, 1)),
  steps: 4,
  batch: 8,
  shape: [2, 8, 8],
}

/** A network whose running statistics and normalisation parameters have moved. */
async function trained(recipe: NetworkRecipe): Promise<Network> {
  const network = createNetwork(recipe, { seed: 4 })
  for (let i = 0; i < 20; i++) await network.forward(input, { training: true })
  for (const [i, { name, value }] of network.parameters.entries())
    if (/gamma|beta/.test(name)) value.set(value.map((v, k) => v + 0.3 * normals(value.length, i)[k]!))
  return network
}

describe('inference', () => {
  it('is training with frozen statistics, bit for bit in float32', async () => {
    const network = await trained(spiking)
    const before = network.statistics.map(({ value }) => value.slice())
    const frozen = await network.forward(input, { training: true, frozenStatistics: true })
    expect(network.statistics.map(({ value }) => value)).toEqual(before)
    expect((await network.forward(input)).data).toEqual(frozen.data)
    const unfrozen = await network.forward(input, { training: true })
    expect(unfrozen.data).not.toEqual(frozen.data)
  })
  it('of the folded network without merging is the same bit for bit', async () => {
    const network = await trained(spiking)
    const folded = foldNormalization(network, { merge: false })
    expect(folded.description.layers.map(({ kind }) => kind)).not.toContain('tdBatchNorm')
    expect((await folded.forward(input)).data).toEqual((await network.forward(input)).data)
  })
  it('of the merged network differs by rounding only: a few parts in 10^6 of the largest value', async () => {
    const network = await trained({
      name: 'linear',
      inputShape: [2, 8, 8],
      timeSteps: 4,
      layers: spiking.layers.filter((layer) => layer.kind !== 'neuron' && layer.kind !== 'residual'),
    })
    const merged = foldNormalization(network)
    expect(merged.description.layers.map(({ kind }) => kind)).toEqual([
      'conv2d',
      'averagePool2d',
      'affine',
      'flatten',
      'linear',
    ])
    const [want, got] = [(await network.forward(input)).data, (await merged.forward(input)).data]
    const largest = Math.max(...Array.from(want, Math.abs))
    for (let i = 0; i < want.length; i++) expect(Math.abs(got[i]! - want[i]!) / largest).toBeLessThan(5e-6)
  })
  it('of the merged spiking network fires alike but for membranes within rounding of the threshold', async () => {
    const network = await trained(spiking)
    const spikes = async (of: Network) => {
      const all: number[] = []
      await of.forward(input, { observe: (activity) => all.push(...activity.spikes) })
      return all
    }
    const [want, got] = [await spikes(network), await spikes(foldNormalization(network))]
    const different = want.filter((spike, i) => spike !== got[i]).length
    expect(want.filter((spike) => spike === 1).length).toBeGreaterThan(want.length / 50)
    // a membrane stands within 10^-6 of the threshold about once in 10^6 times
    expect(different).toBeLessThanOrEqual(want.length / 10_000)
  })
})

describe('folding', () => {
  it('drops dropout and leaves the original alone', async () => {
    const recipe: NetworkRecipe = {
      name: 'drop',
      inputShape: [3],
      timeSteps: 1,
      layers: [{ kind: 'dropout', name: 'drop', rate: 0.5 }],
    }
    const network = createNetwork(recipe)
    const folded = foldNormalization(network)
    const values: Signal = { data: Float32Array.of(1, 2, 3), steps: 1, batch: 1, shape: [3] }
    expect(folded.description.layers).toEqual([{ kind: 'affine', name: 'network-identity' }])
    expect((await folded.forward(values)).data).toEqual(values.data)
    expect(network.description.layers[0]!.kind).toBe('dropout')
  })
})
