import { createFloatKernels } from '@he-ml/ckks-native/float'
import { completeSurrogate, createNeuron, neuronPrograms } from '@he-ml/snn-neurons'
import { afterAll, describe, expect, it } from 'vitest'
import { createNetwork } from '../network/network.ts'
import { RandomStream } from '../random/random-stream.ts'
import { toyDigits, toyNetwork, toyRecipe } from '../training/toy-digits.test-helper.ts'
import { train } from '../training/train.ts'
import { type FloatKernels, outputSize } from './float-kernels.ts'
import { referenceKernels } from './reference-kernels.ts'

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

/** Random numbers for shapes and values of one test. */
function draw(seed: number) {
  const random = new RandomStream(seed)
  const between = (low: number, high: number) => low + random.below(high - low + 1)
  /** Some exact zeros among them, as in spikes. */
  const values = (length: number, deviation = 1) =>
    Float32Array.from({ length }, () => (random.uniform() < 0.1 ? 0 : deviation * random.normal()))
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!
  return { between, values, pick, chance: () => random.uniform() < 0.5 }
}

/** An output before it is written: whatever is left of this shows. */
const unwritten = (length: number) => new Float32Array(length).fill(Number.NaN)
const unwrittenDoubles = (length: number) => new Float64Array(length).fill(Number.NaN)

/** The signs of zeros count. */
const bitsOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array | Uint32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength)

type Arrays = Readonly<Record<string, Float32Array | Float64Array | Uint32Array>>

/** Runs the same task on both kernels, in arrays of their own, and compares all outputs. */
async function expectSameBits(method: keyof FloatKernels, task: object, outputs: () => Arrays): Promise<Arrays> {
  const run = async (given: FloatKernels<Float32Array>) => {
    const own = outputs()
    await (given[method] as (whole: object) => Promise<void>).call(given, { ...task, ...own })
    return own
  }
  const [want, got] = [await run(referenceKernels), await run(kernels)]
  for (const [name, values] of Object.entries(want)) expect(bitsOf(got[name]!), name).toEqual(bitsOf(values))
  return want
}

const cases = Array.from({ length: 60 }, (_, seed) => [seed] as const)

describe('neurons', () => {
  it.each(cases)('have the bits of the reference, case %i', async (seed) => {
    const { between, values, pick, chance } = draw(1000 + seed)
    const reset = pick(['subtract', 'zero', 'none'] as const)
    const threshold = pick([1, 0.7, 0.3])
    const u1 = pick([0, -0.1])
    const neuron = createNeuron(
      chance()
        ? { kind: 'lif', beta: pick([0, 0.5, 0.9, 1]), threshold, reset }
        : { kind: 'qif', a: pick([0.25, 1]), u1, u2: pick([u1, 0.5]), threshold, reset },
    )
    const timeSteps = between(1, 5)
    const inputSteps = chance() ? 1 : timeSteps
    const size = pick([1, 7, 8, 63, 1000, 1024, 1025, 5000])
    const [length, input] = [timeSteps * size, values(inputSteps * size)]
    const grid = chance() ? { step: threshold / between(1, 20), count: 2 * between(2, 64) } : undefined
    const task = { ...neuronPrograms(neuron), threshold, timeSteps, inputSteps, input, ...(grid && { grid }) }
    const observed = chance()
    const { membranePotentials } = await expectSameBits('neurons', task, () => ({
      spikes: unwritten(length),
      membranePotentials: unwritten(length),
      ...(observed && { charged: unwritten(length) }),
    }))
    const kind = pick(['rectangle', 'fastSigmoid', 'arctangent'] as const)
    const which = between(1, 3)
    const backward = {
      ...task,
      membranePotentials,
      surrogate: completeSurrogate({ kind, width: pick([0.5, 0.37]), ...(chance() && { height: 0.9 }) }),
      detachReset: chance(),
      ...(chance() && { pull: pick([0, 0.37, 12]) }),
      ...(which & 1 && { spikeGradient: values(length) }),
      ...(which & 2 && { membraneGradient: values(length) }),
    }
    await expectSameBits('neuronsBackward', backward, () => ({ inputGradient: unwritten(inputSteps * size) }))
  })
})

describe('normalisation', () => {
  it.each(cases)('has the bits of the reference, case %i', async (seed) => {
    const { between, values, pick } = draw(2000 + seed)
    const sizes = { images: between(1, 9), channels: between(1, 7), positions: pick([1, 2, 7, 8, 9, 64, 100, 784]) }
    const { channels } = sizes
    const length = sizes.images * channels * sizes.positions
    const [input, gradient] = [values(length), values(length)]
    const perChannel = () => Float64Array.from(values(channels), (value) => value / 3)
    await expectSameBits('channelMoments', { ...sizes, input }, () => ({
      mean: unwrittenDoubles(channels),
      variance: unwrittenDoubles(channels),
    }))
    await expectSameBits('channelSums', { ...sizes, input, gradient }, () => ({
      plain: unwrittenDoubles(channels),
      weighted: unwrittenDoubles(channels),
    }))
    const map = { scale: values(channels), shift: values(channels) }
    await expectSameBits('scaleChannels', { ...sizes, input, ...map }, () => ({ output: unwritten(length) }))
    const backward = { factor: perChannel(), average: perChannel(), centre: perChannel(), slope: perChannel() }
    await expectSameBits('normalizationBackward', { ...sizes, input, gradient, ...backward }, () => ({
      inputGradient: unwritten(length),
    }))
  })
})

describe('pooling', () => {
  it.each(cases)('has the bits of the reference, case %i', async (seed) => {
    const { between, values, pick } = draw(3000 + seed)
    const kernel = pick([1, 2, 2, 3, 4])
    const stride = pick([kernel, kernel, 1, 2, 3, 5])
    const [planes, height, width] = [between(1, 40), between(kernel, kernel + 13), between(kernel, kernel + 25)]
    const sizes = { planes, height, width, kernel, stride }
    const inputLength = planes * height * width
    const length = planes * outputSize(height, kernel, stride, 0) * outputSize(width, kernel, stride, 0)
    // coarse values, so that windows have equal ones
    const input = values(inputLength).map((value) => Math.round(value * 2) / 2)
    const outputGradient = values(length)
    const inputGradient = () => ({ inputGradient: unwritten(inputLength) })
    await expectSameBits('averagePool', { ...sizes, input: values(inputLength) }, () => ({ output: unwritten(length) }))
    await expectSameBits('averagePoolBackward', { ...sizes, outputGradient }, inputGradient)
    const { winners } = await expectSameBits('maxPool', { ...sizes, input }, () => ({
      output: unwritten(length),
      winners: new Uint32Array(length).fill(2 ** 32 - 1),
    }))
    await expectSameBits('maxPoolBackward', { ...sizes, outputGradient, winners }, inputGradient)
  })
})
