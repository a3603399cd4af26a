/** Everything but matrix products and convolutions has the bits of the loops in TypeScript, signs of zeros included. */
import { afterAll, describe, expect, it } from 'vitest'
import type { Program } from '../neurons/program.ts'
import { completeSurrogate } from '../neurons/surrogate-gradient.ts'
import type { FloatKernels } from '../port/float-kernels.ts'
import { outputSize } from '../port/matrix-tasks.ts'
import { referenceKernels } from '../reference/reference-kernels.ts'
import { createFloatKernels } from './create-float-kernels.ts'

const kernels = createFloatKernels({ threads: 2 })
afterAll(() => kernels[Symbol.asyncDispose]())

/** beta u + x */
const leaky = (beta: number): Program => ({
  inputs: 2,
  instructions: [
    { kind: 'scale', a: 0, constant: beta },
    { kind: 'add', a: 2, b: 1 },
  ],
  output: 3,
})

/** u + a (u - u1) (u - u2) + x */
const quadratic = (a: number, u1: number, u2: number): Program => ({
  inputs: 2,
  instructions: [
    { kind: 'addConstant', a: 0, constant: -u1 },
    { kind: 'addConstant', a: 0, constant: -u2 },
    { kind: 'mul', a: 2, b: 3 },
    { kind: 'scale', a: 4, constant: a },
    { kind: 'add', a: 0, b: 5 },
    { kind: 'add', a: 6, b: 1 },
  ],
  output: 7,
})

/** (v, s) -> u */
const RESETS: Readonly<Record<'subtract' | 'zero' | 'none', (threshold: number) => Program>> = {
  subtract: (threshold) => ({
    inputs: 2,
    instructions: [
      { kind: 'scale', a: 1, constant: threshold },
      { kind: 'sub', a: 0, b: 2 },
    ],
    output: 3,
  }),
  zero: () => ({
    inputs: 2,
    instructions: [
      { kind: 'mul', a: 0, b: 1 },
      { kind: 'sub', a: 0, b: 2 },
    ],
    output: 3,
  }),
  none: () => ({ inputs: 2, instructions: [], output: 0 }),
}

/** Random numbers for shapes and values of one test. */
function draw(seed: number) {
  let state = ((seed * 7919) % 2147483646) + 1
  const uniform = () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  const below = (count: number) => Math.floor(uniform() * count)
  const between = (low: number, high: number) => low + below(high - low + 1)
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
  /** Some exact zeros among them, as in spikes. */
  const values = (length: number, deviation = 1) =>
    Float32Array.from({ length }, () => (uniform() < 0.1 ? 0 : deviation * normal()))
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!
  return { between, values, pick, chance: () => uniform() < 0.5 }
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
    const charge = chance() ? leaky(pick([0, 0.5, 0.9, 1])) : quadratic(pick([0.25, 1]), u1, pick([u1, 0.5]))
    const programs = { charge, reset: RESETS[reset](threshold) }
    const timeSteps = between(1, 5)
    const inputSteps = chance() ? 1 : timeSteps
    const size = pick([1, 7, 8, 63, 1000, 1024, 1025, 5000])
    const [length, input] = [timeSteps * size, values(inputSteps * size)]
    const grid = chance() ? { step: threshold / between(1, 20), count: 2 * between(2, 64) } : undefined
    const task = { ...programs, threshold, timeSteps, inputSteps, input, ...(grid && { grid }) }
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
