import { createFloatKernels, type FloatKernels } from '@he-ml/float-kernels'
import { afterAll, describe, expect, it } from 'vitest'
import { toyDigits, toyNetwork, toyRecipe } from '../training/toy-digits.test-helper.ts'
import { train } from '../training/train.ts'
import { createNetwork } from './network.ts'

const native = createFloatKernels({ threads: 2 })
afterAll(() => native[Symbol.asyncDispose]())

const kernels: FloatKernels<Float32Array> = native

describe('native kernels', () => {
  const recipe = { ...toyRecipe, epochs: 1 }
  const data = toyDigits(150, 1)
  const run = async (given?: FloatKernels<Float32Array>) => {
    const network = createNetwork(toyNetwork(), { seed: 3, ...(given && { kernels: given }) })
    await train(network, { data, recipe })
    return network.state.map(({ value }) => value)
  }

  it('repeat a run bit for bit', async () => {
    expect(await run(kernels)).toEqual(await run(kernels))
  })
  it('give the gradients of the reference up to rounding', async () => {
    const layers = toyNetwork().layers.filter(({ kind }) => kind !== 'neuron' && kind !== 'dropout')
    const input = { data: new Float32Array(64 * 8), steps: 1, batch: 8, shape: [1, 8, 8] }
    for (let n = 0; n < 8; n++) data.read(n, input.data.subarray(n * 64, (n + 1) * 64))
    const gradients = async (given?: FloatKernels<Float32Array>) => {
      const network = createNetwork({ ...toyNetwork(), layers }, { seed: 3, ...(given && { kernels: given }) })
      const output = await network.forward(input, { training: true })
      await network.backward({ ...output, data: output.data.map((_, i) => Math.sin(i)) })
      return network.parameters
    }
    const [want, got] = [await gradients(), await gradients(kernels)]
    const largest = Math.max(...want.flatMap(({ gradient }) => Array.from(gradient, Math.abs)))
    for (const [i, { gradient, name }] of want.entries())
      for (let k = 0; k < gradient.length; k++)
        expect(Math.abs(gradient[k]! - got[i]!.gradient[k]!) / largest, name).toBeLessThan(1e-5)
  })
})
