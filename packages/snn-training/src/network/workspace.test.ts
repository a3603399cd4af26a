import type { NetworkRecipe } from '@he-ml/model/spiking'
import { allLayers } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { Workspace } from '../tensor/workspace.ts'
import { normals } from '../testing.test-helper.ts'
import { createNetwork, type Network } from './network.ts'

describe('a workspace', () => {
  it('gives a pass the arrays of earlier ones, and never the same array twice', () => {
    const workspace = new Workspace('float32')
    const first = workspace.begin()
    const [a, b, indices] = [first.allocate(10), first.allocate(10), first.allocateIndices(10)]
    expect(b).not.toBe(a)
    first.end()
    const [second, third] = [workspace.begin(), workspace.begin()]
    const taken = [second.allocate(10), third.allocate(10), second.allocate(10), third.allocate(9)]
    expect(new Set(taken).size).toBe(4)
    expect(taken).toContain(a)
    expect(taken).toContain(b)
    expect(third.allocateIndices(10)).toBe(indices)
  })
  it('does not take what it did not give, nor anything twice, nor what was kept', () => {
    const workspace = new Workspace('float64')
    const lease = workspace.begin()
    const [a, kept] = [lease.allocate(4), lease.allocate(4)]
    lease.release(new Float64Array(4))
    lease.release(a)
    lease.release(a)
    lease.keep(kept)
    lease.end()
    lease.end()
    expect(workspace.free).toBe(1)
  })
  it('lets go what the last passes did not use', () => {
    const workspace = new Workspace('float32')
    for (let length = 1; length <= 50; length++) {
      const lease = workspace.begin()
      lease.allocate(length)
      lease.allocateIndices(length)
      lease.end()
      expect(workspace.free).toBeLessThanOrEqual(8)
    }
  })
})

const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const
const surrogate = { kind: 'rectangle', width: 0.5 } as const
const weightGrid = { step: 1 / 64, count: 1024 }
const recipe: NetworkRecipe = {
  name: 'every layer',
  inputShape: [1, 8, 8],
  timeSteps: 3,
  layers: [
    { kind: 'conv2d', name: 'conv1', outChannels: 4, kernel: [3, 3], padding: 1 },
    { kind: 'tdBatchNorm', name: 'norm1', threshold: 1 },
    { kind: 'neuron', name: 'spikes1', neuron, surrogate },
    {
      kind: 'residual',
      name: 'block',
      main: [
        { kind: 'conv2d', name: 'conv2', outChannels: 4, kernel: [3, 3], padding: 1, weightGrid },
        { kind: 'affine', name: 'affine' },
        { kind: 'neuron', name: 'spikes2', neuron, surrogate, grid: { step: 1 / 16, count: 64 } },
      ],
    },
    { kind: 'maxPool2d', name: 'largest', kernel: 2, stride: 1 },
    { kind: 'averagePool2d', name: 'mean', kernel: 2, stride: 2 },
    { kind: 'flatten', name: 'flatten' },
    { kind: 'dropout', name: 'dropout', rate: 0.2 },
    { kind: 'linear', name: 'fc', outFeatures: 5 },
    { kind: 'neuron', name: 'readout', neuron: { ...neuron, reset: 'none' }, surrogate, output: 'membrane' },
  ],
}

const inputOf = (batch: number, seed: number, steps = 1) => ({
  data: Float32Array.from(normals(steps * batch * 64, seed)),
  steps,
  batch,
  shape: [1, 8, 8],
})
const makeNetwork = () => createNetwork(recipe, { seed: 2 })

/** The same network with an empty workspace. */
function copyOf(network: Network): Network {
  const copy = makeNetwork()
  for (const [i, { value }] of copy.state.entries()) value.set(network.state[i]!.value)
  return copy
}

async function trainingPass(network: Network, batch: number, seed: number, between = async () => {}) {
  const output = await network.forward(inputOf(batch, seed, seed % 2 === 0 ? 1 : 3), { training: true, seed })
  const before = output.data.slice()
  await between()
  await network.backward({ ...output, data: Float32Array.from(normals(output.data.length, seed + 1)) })
  expect(output.data).toEqual(before)
  return [
    before,
    ...network.parameters.map(({ gradient }) => gradient.slice()),
    ...network.statistics.map((s) => s.value.slice()),
  ]
}

describe('passes that use arrays again', () => {
  it('give the bits of passes with new arrays: changing batches, inference in between, abandoned passes', async () => {
    const [network, other] = [makeNetwork(), makeNetwork()]
    for (const [i, batch] of [4, 4, 2, 7, 4, 4, 1, 7, 7].entries()) {
      const fresh = copyOf(network)
      const want = await trainingPass(fresh, batch, i)
      const inferred = await copyOf(fresh).forward(inputOf(batch, 50 + i))
      if (i % 3 === 2) await network.forward(inputOf(batch, 1), { training: true, frozenStatistics: true })
      let during: Float32Array | undefined
      const got = await trainingPass(network, batch, i, async () => {
        const output = await network.forward(inputOf(batch, 50 + i))
        during = output.data as Float32Array
        await trainingPass(other, batch, 80 + i)
      })
      expect(got).toEqual(want)
      expect(during).toEqual(inferred.data)
    }
  })
  it('survive a forward pass in training that has no backward pass', async () => {
    const network = makeNetwork()
    const frozen = { training: true, frozenStatistics: true, seed: 1 }
    const kept = await network.forward(inputOf(3, 1), frozen)
    const values = kept.data.slice()
    for (let k = 2; k < 6; k++) await network.forward(inputOf(3, k), frozen)
    expect(kept.data).toEqual(values)
    const fresh = copyOf(network)
    expect(await trainingPass(network, 3, 9)).toEqual(await trainingPass(fresh, 3, 9))
  })
  it('show an observer what the layers computed', async () => {
    const network = makeNetwork()
    const look = async (observed: Network) => {
      const seen = new Map<string, readonly number[]>()
      await observed.forward(inputOf(4, 3), {
        observe: (a) => seen.set(a.layer, [...a.spikes, ...a.charged, ...a.membranePotentials]),
      })
      return seen
    }
    await trainingPass(network, 4, 1)
    const want = await look(copyOf(network))
    expect(await look(network)).toEqual(want)
    expect(await look(network)).toEqual(want)
    const neurons = allLayers(network.description.layers).filter(({ kind }) => kind === 'neuron')
    expect([...want.keys()]).toEqual(neurons.map(({ name }) => name))
  })
})
