import { DisposedError, InvalidArgumentError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { Instruction, Program } from '../neurons/program.ts'
import type { SurrogateDescription } from '../neurons/surrogate-gradient.ts'
import type { NeuronTask } from '../port/neuron-tasks.ts'
import { createFloatKernels, type FloatKernelName, type NativeFloatKernels } from './create-float-kernels.ts'
import { randomFloats } from './reference.test-helper.ts'
import {
  momentsReference,
  neuronsBackwardReference,
  neuronsReference,
  normalizationReference,
  pooledLength,
  poolsReference,
  scaleReference,
  sumsReference,
} from './training-reference.test-helper.ts'

function tryKernels(kernel: FloatKernelName): NativeFloatKernels[] {
  try {
    return [createFloatKernels({ kernel, threads: 1 }), createFloatKernels({ kernel, threads: 3 })]
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError)
    console.warn(`float kernels: not run here: ${(error as Error).message}`)
    return []
  }
}
const all = (['scalar', 'avx2', 'avx512'] as const).flatMap(tryKernels)
const kernels = all[0]!
afterAll(() => Promise.all(all.map((k) => k[Symbol.asyncDispose]())))

type Values = Float32Array | Float64Array | Uint32Array
const floats = (length: number) => new Float32Array(length).fill(Number.NaN)
const doubles = (length: number) => new Float64Array(length).fill(Number.NaN)

/** Bits, but every NaN is as good as any other. */
function expectSame(got: Values, want: Values, what: string): void {
  expect(got.length, what).toBe(want.length)
  const wrong = got.findIndex((value: number, i: number) => !Object.is(value, want[i]))
  expect(wrong, `${what}: first difference`).toBe(-1)
}

const constant = fc.integer({ min: -6, max: 6 }).map((k) => k * 0.3)
const register = (count: number) => fc.integer({ min: 0, max: count - 1 })
const instructionAt = (count: number): fc.Arbitrary<Instruction> =>
  fc.oneof(
    fc.record({ kind: fc.constantFrom('add', 'sub', 'mul'), a: register(count), b: register(count) }),
    fc.record({ kind: fc.constant('square'), a: register(count) }),
    fc.record({ kind: fc.constantFrom('scale', 'addConstant'), a: register(count), constant }),
  ) as fc.Arbitrary<Instruction>
/** Any program, sensible or not. */
const program: fc.Arbitrary<Program> = fc.integer({ min: 0, max: 6 }).chain((length) =>
  fc.record({
    inputs: fc.constant(2),
    instructions: fc.tuple(...Array.from({ length }, (_, k) => instructionAt(2 + k))),
    output: register(2 + length),
  }),
)
const leak: Program = {
  inputs: 2,
  instructions: [
    { kind: 'scale', a: 0, constant: 0.9 },
    { kind: 'add', a: 2, b: 1 },
  ],
  output: 3,
}
const subtract: Program = {
  inputs: 2,
  instructions: [
    { kind: 'scale', a: 1, constant: 0.7 },
    { kind: 'sub', a: 0, b: 2 },
  ],
  output: 3,
}

const neuronCase = fc.record({
  charge: fc.oneof(fc.constant(leak), program),
  reset: fc.oneof(fc.constant(subtract), program),
  threshold: fc.constantFrom(0.7, 1),
  grid: fc.constantFrom(undefined, undefined, { step: 0.125, count: 16 }, { step: 0.11, count: 8 }),
  timeSteps: fc.integer({ min: 1, max: 5 }),
  still: fc.boolean(),
  size: fc.constantFrom(0, 1, 7, 512, 1030, 12000),
  kind: fc.constantFrom<Required<SurrogateDescription>['kind']>('rectangle', 'fastSigmoid', 'arctangent'),
  detachReset: fc.boolean(),
  pull: fc.constantFrom(undefined, 0, 0.37, 3),
  wants: fc.record({ spikes: fc.boolean(), membranes: fc.boolean(), charged: fc.boolean() }),
  seed: fc.nat(),
})

describe('neurons', () => {
  it('give what a hand computes', async () => {
    const half: Program = { ...leak, instructions: [{ kind: 'scale', a: 0, constant: 0.5 }, leak.instructions[1]!] }
    const model = { charge: half, reset: subtract, threshold: 0.7, timeSteps: 2, inputSteps: 1 }
    const [spikes, membranePotentials] = [floats(4), floats(4)]
    await kernels.neurons({ ...model, input: Float32Array.of(0.5, 1), spikes, membranePotentials })
    expect([...spikes]).toEqual([0, 1, 1, 1])
    expect(membranePotentials[0]).toBe(0.5)
  })

  it('have the bits of the definition, forwards and backwards, for any program', async () => {
    await fc.assert(
      fc.asyncProperty(neuronCase, async ({ still, size, kind, detachReset, pull, wants, seed, ...rest }) => {
        const inputSteps = still ? 1 : rest.timeSteps
        const input = randomFloats(inputSteps * size, seed).map((x) => 3 * x)
        const model: NeuronTask<Float32Array> = { ...rest, inputSteps, input }
        const steps = rest.timeSteps * size
        const want = neuronsReference(model)
        const gradients = {
          ...model,
          membranePotentials: want.membranePotentials,
          surrogate: { kind, width: 0.4, height: 1.3 },
          detachReset,
          pull,
          spikeGradient: wants.spikes ? randomFloats(steps, seed + 1) : undefined,
          membraneGradient: wants.membranes ? randomFloats(steps, seed + 2) : undefined,
        }
        const wantGradient = neuronsBackwardReference(gradients)
        for (const k of all) {
          const [spikes, membranePotentials, charged] = [floats(steps), floats(steps), floats(steps)]
          await k.neurons({ ...model, spikes, membranePotentials, charged: wants.charged ? charged : undefined })
          expectSame(spikes, want.spikes, 'spikes')
          expectSame(membranePotentials, want.membranePotentials, 'membranePotentials')
          if (wants.charged) expectSame(charged, want.charged, 'charged')
          const inputGradient = floats(input.length)
          await k.neuronsBackward({ ...gradients, inputGradient })
          expectSame(inputGradient, wantGradient, 'inputGradient')
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('channels', () => {
  const sizes = fc.record({
    images: fc.integer({ min: 1, max: 9 }),
    channels: fc.integer({ min: 1, max: 9 }),
    positions: fc.constantFrom(1, 3, 8, 9, 15, 49, 784),
  })
  it('have the bits of the documented order', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (shape, seed) => {
        const { channels } = shape
        const size = shape.images * channels * shape.positions
        const [input, gradient] = [randomFloats(size, seed), randomFloats(size, seed + 1)]
        const [scale, shift] = [randomFloats(channels, seed + 2), randomFloats(channels, seed + 3)]
        const numbers = (k: number) => Float64Array.from(randomFloats(channels, seed + k), Math.sin)
        const backward = { factor: numbers(4), average: numbers(5), centre: numbers(6), slope: numbers(7) }
        const [moments, sums] = [momentsReference({ ...shape, input }), sumsReference({ ...shape, gradient, input })]
        for (const k of all) {
          const [mean, variance] = [doubles(channels), doubles(channels)]
          await k.channelMoments({ ...shape, input, mean, variance })
          expectSame(mean, moments.mean, 'mean')
          expectSame(variance, moments.variance, 'variance')
          const [plain, weighted] = [doubles(channels), doubles(channels)]
          await k.channelSums({ ...shape, gradient, input, plain, weighted })
          expectSame(plain, sums.plain, 'plain')
          expectSame(weighted, sums.weighted, 'weighted')
          const [output, inputGradient] = [floats(size), floats(size)]
          await k.scaleChannels({ ...shape, input, scale, shift, output })
          expectSame(output, scaleReference({ ...shape, input, scale, shift }), 'output')
          await k.normalizationBackward({ ...shape, gradient, input, ...backward, inputGradient })
          const want = normalizationReference({ ...shape, gradient, input, ...backward })
          expectSame(inputGradient, want, 'inputGradient')
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('pools', () => {
  const sizes = fc
    .record({
      planes: fc.integer({ min: 1, max: 30 }),
      height: fc.integer({ min: 1, max: 40 }),
      width: fc.integer({ min: 1, max: 40 }),
      window: fc.oneof(
        fc.constant({ kernel: 2, stride: 2 }),
        fc.record({ kernel: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: 1, max: 4 }) }),
      ),
    })
    .map(({ window, ...plane }) => ({ ...plane, ...window }))
    .filter(({ height, width, kernel }) => kernel <= height && kernel <= width)
  it('have the bits of the definition', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (shape, seed) => {
        // few different values, so that windows have equal ones
        const coarse = (x: number) => (x > 0.9 ? Number.NaN : Math.round(4 * x) / 4)
        const input = randomFloats(shape.planes * shape.height * shape.width, seed).map(coarse)
        const outputGradient = randomFloats(pooledLength(shape), seed + 1)
        const want = poolsReference(shape, input, outputGradient)
        for (const k of all) {
          const [means, largest] = [floats(outputGradient.length), floats(outputGradient.length)]
          const [spread, rewarded] = [floats(input.length), floats(input.length)]
          const winners = new Uint32Array(outputGradient.length).fill(7)
          await k.averagePool({ ...shape, input, output: means })
          expectSame(means, want.means, 'averagePool')
          await k.averagePoolBackward({ ...shape, outputGradient, inputGradient: spread })
          expectSame(spread, want.spread, 'averagePoolBackward')
          await k.maxPool({ ...shape, input, output: largest, winners })
          expectSame(largest, want.largest, 'maxPool')
          expectSame(winners, want.winners, 'winners')
          await k.maxPoolBackward({ ...shape, outputGradient, winners, inputGradient: rewarded })
          expectSame(rewarded, want.rewarded, 'maxPoolBackward')
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('mistakes', () => {
  const f = (size: number) => new Float32Array(size)
  const model = { charge: leak, reset: subtract, threshold: 1, timeSteps: 3, inputSteps: 1, input: f(4) }
  const forward = { ...model, spikes: f(12), membranePotentials: f(12) }
  const of = (instructions: unknown[], output = 0) => ({ inputs: 2, instructions, output }) as Program

  it.each<[string, object, RegExp]>([
    ['no time', { timeSteps: 0 }, /timeSteps: expected at least 1/],
    ['input steps', { inputSteps: 2 }, /inputSteps: expected 1 or 3, got 2/],
    ['a length', { spikes: f(11) }, /spikes: expected 12 values/],
    ['an odd input', { inputSteps: 3 }, /input: expected a Float32Array whose length is a multiple of 3, got 4/],
    ['an observer', { charged: f(3) }, /charged: expected 12 values/],
    ['overlap', { membranePotentials: forward.spikes }, /overlaps/],
    ['the threshold', { threshold: Number.NaN }, /threshold: expected a finite number/],
    ['an odd grid', { grid: { step: 1, count: 3 } }, /grid: expected a positive step and an even number/],
    ['a program of three inputs', { charge: { ...leak, inputs: 3 } }, /charge: inputs: expected 2, got 3/],
    ['a register to come', { charge: of([{ kind: 'square', a: 2 }]) }, /instruction 0: a: expected a register below 2/],
    ['a register below', { reset: of([{ kind: 'add', a: 0, b: -1 }]) }, /reset: instruction 0: b: expected a register/],
    ['an output', { reset: of([], 2) }, /reset: output: expected a register below 2, got 2/],
    ['an operation', { charge: of([{ kind: 'divide', a: 0, b: 1 }]) }, /expected one of add.*got "divide"/],
    ['a constant', { charge: of([{ kind: 'scale', a: 0, constant: Infinity }]) }, /constant: expected a finite number/],
    [
      'a long program',
      { charge: of(Array(65).fill({ kind: 'square', a: 0 })) },
      /expected at most 64 instructions, got 65/,
    ],
  ])('neurons: %s', async (_, change, message) => {
    const promise = kernels.neurons({ ...forward, ...change })
    await expect(promise).rejects.toThrow(InvalidArgumentError)
    await expect(promise).rejects.toThrow(message)
  })

  it.each<[string, object, RegExp]>([
    ['a surrogate', { surrogate: { kind: 'gauss', width: 1, height: 1 } }, /surrogate: expected one of rectangle/],
    ['its width', { surrogate: { kind: 'rectangle', width: 0, height: 1 } }, /with a positive width/],
    ['a pull', { pull: -1 }, /pull: expected a finite number from 0, got -1/],
    ['an infinite pull', { pull: Infinity }, /pull: expected a finite number from 0/],
    ['a gradient', { spikeGradient: f(4) }, /spikeGradient: expected 12 values/],
    ['the result', { inputGradient: f(12) }, /inputGradient: expected 4 values/],
  ])('neuronsBackward: %s', async (_, change, message) => {
    const surrogate = { kind: 'rectangle', width: 1, height: 1 } as const
    const job = { ...model, membranePotentials: f(12), surrogate, detachReset: false, inputGradient: f(4) }
    await expect(kernels.neuronsBackward({ ...job, ...change })).rejects.toThrow(message)
  })

  it('channels and pools: sizes, types, overlap', async () => {
    const shape = { images: 1, channels: 2, positions: 3 }
    const [mean, variance] = [new Float64Array(2), new Float64Array(2)]
    const moments = { ...shape, input: f(6), mean, variance }
    await expect(kernels.channelMoments({ ...moments, images: 0 })).rejects.toThrow(
      /images: expected an integer from 1/,
    )
    const single = f(2) as unknown as Float64Array
    await expect(kernels.channelMoments({ ...moments, mean: single })).rejects.toThrow(
      /mean: expected a Float64Array, got Float32Array/,
    )
    await expect(kernels.channelMoments({ ...moments, variance: mean })).rejects.toThrow(/overlaps/)
    const pool = { planes: 1, height: 2, width: 3, kernel: 2, stride: 1, input: f(6), output: f(2) }
    await expect(kernels.averagePool({ ...pool, kernel: 3 })).rejects.toThrow(/kernel: expected at most the plane/)
    await expect(kernels.averagePool({ ...pool, output: f(3) })).rejects.toThrow(/output: expected 2 values/)
  })

  it('winners that are no indices', async () => {
    const pool = { planes: 2, height: 2, width: 2, kernel: 2, stride: 2, outputGradient: Float32Array.of(1, 2) }
    for (const k of all) {
      const inputGradient = f(8)
      const wrong = k.maxPoolBackward({ ...pool, winners: Uint32Array.of(0, 8), inputGradient })
      await expect(wrong).rejects.toThrow(InvalidArgumentError)
      await k.maxPoolBackward({ ...pool, winners: Uint32Array.of(7, 7), inputGradient })
      expect([...inputGradient]).toEqual([0, 0, 0, 0, 0, 0, 0, 3])
    }
  })

  it('disposal', async () => {
    const gone = createFloatKernels({ threads: 1 })
    await gone[Symbol.asyncDispose]()
    await expect(gone.neurons(forward)).rejects.toThrow(DisposedError)
  })
})
