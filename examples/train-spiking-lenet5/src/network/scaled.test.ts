import { createNetwork, RandomStream } from '@he-ml/snn-training'
import { describe, expect, it } from 'vitest'
import { scaled } from './scaled.ts'
import { NEURONS, spikingLenet5 } from './spiking-lenet5.ts'
import { strided } from './strided.ts'

const random = new RandomStream(5)
const input = {
  data: Float32Array.from({ length: 2 * 784 }, () => random.uniform()),
  steps: 1,
  batch: 2,
  shape: [1, 28, 28],
}
/** Without normalisations, as models are. */
function lenet(neuron: keyof typeof NEURONS, inputShape: [number, number, number] = [1, 28, 28]) {
  const recipe = spikingLenet5({ neuron: NEURONS[neuron], timeSteps: 3, inputShape })
  return createNetwork({ ...recipe, layers: recipe.layers.filter(({ kind }) => kind !== 'tdBatchNorm') }, { seed: 2 })
}

describe.each(['lif', 'qif'] as const)('%s networks', (neuron) => {
  it('in other units fire the same spikes', async () => {
    const network = lenet(neuron)
    const half = scaled(network, 0.5)
    const spikes: number[][] = []
    const seen = ({ spikes: own }: { spikes: ArrayLike<number> }) => spikes.push(Array.from(own))
    const want = await network.forward(input, { observe: seen })
    // a power of two changes no digit of a number
    expect((await half.forward(input, { observe: seen })).data).toEqual(want.data)
    expect(spikes.slice(4)).toEqual(spikes.slice(0, 4))
    expect(spikes[0]).toContain(1)
    const [layer] = half.description.layers.filter(({ kind }) => kind === 'neuron')
    expect(layer).toMatchObject({ neuron: { threshold: 0.5 } })
  })
  it('with strides see the first neuron of every area that was pooled', async () => {
    const network = lenet(neuron)
    const fast = strided(network)
    expect(fast.description.layers.map(({ kind }) => kind)).not.toContain('averagePool2d')
    const layers = new Map<string, Float32Array[]>()
    for (const one of [network, fast])
      await one.forward(input, {
        observe: ({ layer, spikes }) => layers.set(layer, [...(layers.get(layer) ?? []), Float32Array.from(spikes)]),
      })
    const [whole, few] = layers.get('neurons1') as [Float32Array, Float32Array]
    expect(few).toEqual(whole.filter((_, i) => i % 2 === 0 && Math.floor(i / 28) % 2 === 0))
    expect(layers.get('neurons2')!.map(({ length }) => length)).toEqual([3 * 2 * 1600, 3 * 2 * 400])
  })
})

it('strides put weights at their places on a larger image', () => {
  const network = lenet('lif', [2, 34, 34])
  const fast = strided(network)
  const weights = [network, fast].map((n) => n.state.find(({ name }) => name === 'fc1.weight')!)
  expect(weights.map(({ shape }) => [...shape])).toEqual([
    [120, 400],
    [120, 576],
  ])
  const [small, large] = weights.map(({ value }) => value)
  for (const [neuron, c, y, x] of [
    [0, 0, 0, 0],
    [7, 3, 4, 2],
    [119, 15, 4, 4],
  ] as const)
    expect(large![neuron * 576 + c * 36 + y * 6 + x]).toBe(small![neuron * 400 + c * 25 + y * 5 + x])
  expect(large!.filter((v) => v !== 0)).toHaveLength(small!.filter((v) => v !== 0).length)
})
