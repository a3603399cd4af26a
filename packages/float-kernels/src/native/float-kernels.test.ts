import { DisposedError, InvalidArgumentError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { ConvolutionSizes, Gemm } from '../port/matrix-tasks.ts'
import { createFloatKernels, type FloatKernelName, type NativeFloatKernels } from './create-float-kernels.ts'
import { convolutionSizes, Exact, everyProduct, gemmReference, randomFloats } from './reference.test-helper.ts'

const NAMES: readonly FloatKernelName[] = ['scalar', 'avx2', 'avx512']

function tryKernels(kernel: FloatKernelName): NativeFloatKernels[] {
  try {
    return [createFloatKernels({ kernel, threads: 1 }), createFloatKernels({ kernel, threads: 3 })]
  } catch (error) {
    // the addon itself must load, and a missing instruction set is said to be that
    expect(error).toBeInstanceOf(InvalidArgumentError)
    console.warn(`float kernels: not run here: ${(error as Error).message}`)
    return []
  }
}
const all = NAMES.flatMap(tryKernels)

afterAll(async () => {
  await Promise.all(all.map((kernels) => kernels[Symbol.asyncDispose]()))
})

/** Runs `work` on every kernel and thread count; checks which must agree to the bit, returns one result of each rounding. */
async function onAll(work: (kernels: NativeFloatKernels) => Promise<Float32Array>): Promise<Float32Array[]> {
  const results = new Map<boolean, Float32Array>()
  for (const kernels of all) {
    const got = await work(kernels)
    const fused = kernels.kernel !== 'scalar'
    const before = results.get(fused)
    if (before) expect(Buffer.from(got.buffer).equals(Buffer.from(before.buffer))).toBe(true)
    results.set(fused, got)
  }
  return [...results.values()]
}

const gemmCase = fc.record({
  m: fc.integer({ min: 1, max: 40 }),
  n: fc.integer({ min: 1, max: 70 }),
  k: fc.integer({ min: 0, max: 300 }),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  alpha: fc.constantFrom(1, 1, -0.3),
  beta: fc.constantFrom(0, 1, 0.7),
  seed: fc.nat(),
})

describe('gemm', () => {
  it('gives what a hand computes', async () => {
    const [a, b] = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(1, 0, -1, 2, 1, 3)]
    const [plain] = await onAll(async (kernels) => {
      const c = new Float32Array(4)
      await kernels.gemm({ m: 2, n: 2, k: 3, a, b, c })
      return c
    })
    expect([...plain!]).toEqual([2, 13, 5, 28])
    const [transposed] = await onAll(async (kernels) => {
      const c = Float32Array.of(1, 1, 1, 1)
      await kernels.gemm({ m: 2, n: 2, k: 3, a, b, c, transposeA: true, transposeB: true, alpha: 2, beta: -1 })
      return c
    })
    expect([...transposed!]).toEqual([-9, 39, -9, 51])
  })

  it('agrees with double precision on all kernels, to the bit on any number of threads', async () => {
    await fc.assert(
      fc.asyncProperty(gemmCase, async ({ seed, ...shape }) => {
        const before = randomFloats(shape.m * shape.n, seed + 2)
        const job: Gemm<Float32Array> = {
          ...shape,
          a: randomFloats(shape.m * shape.k, seed),
          b: randomFloats(shape.k * shape.n, seed + 1),
          c: before,
        }
        const exact = gemmReference(job, before)
        const results = await onAll(async (kernels) => {
          const c = shape.beta === 0 ? new Float32Array(before.length).fill(Number.NaN) : before.slice()
          await kernels.gemm({ ...job, c })
          return c
        })
        for (const got of results) exact.expectClose(got, 2 * shape.k + 4)
      }),
      { numRuns: 60 },
    )
  })
})

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }))
const convolutionCase = fc
  .record({
    batch: fc.integer({ min: 1, max: 4 }),
    groups: fc.constantFrom(1, 1, 2, 3),
    perGroup: pair(1, 5),
    height: fc.integer({ min: 1, max: 13 }),
    width: fc.integer({ min: 1, max: 20 }),
    kernel: pair(1, 5),
    stride: pair(1, 3),
    padding: pair(0, 3),
  })
  .map(({ perGroup: [i, o], ...shape }) => ({ ...shape, inChannels: i * shape.groups, outChannels: o * shape.groups }))
  .filter((s) => s.kernel[0] <= s.height + 2 * s.padding[0] && s.kernel[1] <= s.width + 2 * s.padding[1])

const NAMED: readonly [string, ConvolutionSizes][] = [
  ['LeNet-5, first', conv(3, [1, 28, 28], 6, 5, 1, 2)],
  ['LeNet-5, second', conv(5, [6, 14, 14], 16, 5, 1, 0)],
  ['3 x 3', conv(2, [17, 8, 8], 20, 3, 1, 1)],
  ['stride 2', conv(2, [16, 9, 8], 24, 3, 2, 1)],
  ['1 x 1, stride 2', conv(2, [16, 8, 8], 24, 1, 2, 0)],
  ['depthwise', { ...conv(2, [12, 9, 9], 12, 3, 1, 1), groups: 12 }],
  ['stem', conv(1, [3, 40, 40], 8, 7, 2, 3)],
]

function conv(batch: number, image: number[], outChannels: number, kernel: number, stride: number, padding: number) {
  const [inChannels, height, width] = image as [number, number, number]
  return { batch, inChannels, height, width, outChannels, kernel, stride, padding }
}

async function checkConvolution(shape: ConvolutionSizes, seed: number): Promise<void> {
  const sizes = convolutionSizes(shape)
  const input = randomFloats(sizes.input, seed)
  const weight = randomFloats(sizes.weight, seed + 1)
  const bias = randomFloats(shape.outChannels, seed + 2)
  const outputGradient = randomFloats(sizes.output, seed + 3)
  const forward = new Exact(sizes.output)
  const backInput = new Exact(sizes.input)
  const backWeight = new Exact(sizes.weight)
  const backBias = new Exact(shape.outChannels)
  const area = sizes.positions / shape.batch
  for (let i = 0; i < sizes.output; i++) {
    const channel = Math.floor(i / area) % shape.outChannels
    forward.add(i, bias[channel]!)
    backBias.add(channel, outputGradient[i]!)
  }
  everyProduct(shape, (o, i, w) => {
    forward.add(o, input[i]! * weight[w]!)
    backInput.add(i, outputGradient[o]! * weight[w]!)
    backWeight.add(w, outputGradient[o]! * input[i]!)
  })
  const filled = (size: number) => new Float32Array(size).fill(Number.NaN)
  for (const output of await onAll(async (kernels) => {
    const result = filled(sizes.output)
    await kernels.conv2d({ ...shape, input, weight, bias, output: result })
    return result
  }))
    forward.expectClose(output, sizes.terms + 1)
  for (const inputGradient of await onAll(async (kernels) => {
    const result = filled(sizes.input)
    await kernels.conv2dBackwardInput({ ...shape, outputGradient, weight, inputGradient: result })
    return result
  }))
    backInput.expectClose(inputGradient, (sizes.terms * shape.outChannels) / shape.inChannels + shape.outChannels)
  for (const both of await onAll(async (kernels) => {
    const result = filled(sizes.weight + shape.outChannels)
    const [weightGradient, biasGradient] = [result.subarray(0, sizes.weight), result.subarray(sizes.weight)]
    await kernels.conv2dBackwardWeight({ ...shape, input, outputGradient, weightGradient, biasGradient })
    return result
  })) {
    backWeight.expectClose(both.slice(0, sizes.weight), sizes.positions)
    backBias.expectClose(both.slice(sizes.weight), sizes.positions)
  }
}

describe('convolution and its gradients', () => {
  it.each(NAMED)('%s agrees with the definition', async (_, shape) => {
    await checkConvolution(shape, 7)
  })

  it('agrees with the definition for random shapes, strides, padding and groups', async () => {
    await fc.assert(
      fc.asyncProperty(convolutionCase, fc.nat(), (shape, seed) => checkConvolution(shape, seed)),
      { numRuns: 60 },
    )
  })

  it('gives each image what it gives it alone', async () => {
    const shape = conv(5, [6, 14, 14], 16, 5, 1, 0)
    const sizes = convolutionSizes(shape)
    const [input, weight] = [randomFloats(sizes.input, 1), randomFloats(sizes.weight, 2)]
    for (const kernels of all) {
      const output = new Float32Array(sizes.output)
      await kernels.conv2d({ ...shape, input, weight, output })
      const alone = new Float32Array(sizes.output / 5)
      const image = input.subarray((3 * sizes.input) / 5, (4 * sizes.input) / 5)
      await kernels.conv2d({ ...shape, batch: 1, input: image, weight, output: alone })
      expect(alone).toEqual(output.slice(3 * alone.length, 4 * alone.length))
    }
  })
})

describe('jobs', () => {
  it('leave the event loop free and finish before disposal does', async () => {
    const n = 640
    const [a, b] = [randomFloats(n * n, 1), randomFloats(n * n, 2)]
    const results = Array.from({ length: 6 }, () => new Float32Array(n * n))
    let settled = 0
    let ticks = 0
    const timer = setInterval(() => {
      ticks++
    }, 1)
    {
      await using kernels = createFloatKernels({ threads: 2, kernel: 'scalar' })
      for (const c of results)
        void kernels.gemm({ m: n, n, k: n, a, b, c }).then(() => {
          settled++
        })
      expect(settled).toBe(0)
    }
    clearInterval(timer)
    expect(settled).toBe(results.length)
    expect(ticks).toBeGreaterThan(2)
    for (const c of results) expect(Buffer.from(c.buffer).equals(Buffer.from(results[0]!.buffer))).toBe(true)
  })

  it('hold their arrays while they run', async () => {
    await using kernels = createFloatKernels({ threads: 1 })
    const n = 300
    const promises = Array.from({ length: 40 }, () => {
      const c = new Float32Array(n * n)
      const [a, b] = [new Float32Array(n * n).fill(1), new Float32Array(n * n).fill(2)]
      return kernels.gemm({ m: n, n, k: n, a, b, c }).then(() => c)
    })
    for (const c of await Promise.all(promises)) expect(c.every((x) => x === 2 * n)).toBe(true)
  })

  it('are refused after disposal', async () => {
    const kernels = createFloatKernels({ threads: 1 })
    await kernels[Symbol.asyncDispose]()
    await kernels[Symbol.asyncDispose]()
    const [a, b, c] = [new Float32Array(1), new Float32Array(1), new Float32Array(1)]
    await expect(kernels.gemm({ m: 1, n: 1, k: 1, a, b, c })).rejects.toThrow(DisposedError)
  })

  it('tell threads and kernel', async () => {
    await using kernels = createFloatKernels({ threads: 3, kernel: 'scalar' })
    expect(kernels).toMatchObject({ threads: 3, kernel: 'scalar' })
    await using chosen = createFloatKernels()
    expect(NAMES).toContain(chosen.kernel)
    expect(chosen.threads).toBeGreaterThan(0)
  })
})

describe('mistakes are found before any work', () => {
  const kernels = createFloatKernels({ threads: 1 })
  afterAll(() => kernels[Symbol.asyncDispose]())
  const f = (size: number) => new Float32Array(size)
  const good = { m: 2, n: 3, k: 4, a: f(8), b: f(12), c: f(6) }
  const buffer = f(14)

  it.each<[string, object, RegExp]>([
    ['a length', { a: f(9) }, /a: expected 8 values.*got 9/],
    ['a type', { b: new Float64Array(12) }, /b: expected a Float32Array/],
    ['a fraction', { m: 1.5 }, /m: expected an integer/],
    ['a negative size', { k: -1 }, /k: expected an integer from 0/],
    ['a factor', { alpha: Number.NaN }, /alpha: expected a finite number/],
    ['overlap', { a: buffer.subarray(0, 8), c: buffer.subarray(7, 13) }, /c: expected memory of its own.*overlaps a/],
    ['shared memory', { a: new Float32Array(new SharedArrayBuffer(32)) }, /neither shared nor resizable/],
  ])('gemm: %s', async (_, change, message) => {
    const promise = kernels.gemm({ ...good, ...change })
    await expect(promise).rejects.toThrow(InvalidArgumentError)
    await expect(promise).rejects.toThrow(message)
  })

  const shape = { ...conv(2, [4, 5, 5], 6, 3, 1, 0), groups: 2 }
  const arrays = { input: f(200), weight: f(108), output: f(108) }
  it.each<[string, object, RegExp]>([
    ['groups', { groups: 3 }, /groups: expected a divisor of 4 and 6/],
    ['a kernel too large', { kernel: [3, 6] }, /kernel: expected at most the padded image, 5 x 5/],
    ['no stride', { stride: [1, 0] }, /stride\[1\]: expected an integer from 1/],
    ['negative padding', { padding: -1 }, /padding\[0\]/],
    ['a missing size', { batch: undefined }, /batch/],
    ['the bias', { bias: f(5) }, /bias: expected 6 values/],
    ['the output', { output: f(107) }, /output: expected 108 values/],
    ['sizes beyond memory', { batch: 2 ** 31, height: 2 ** 31, width: 2 ** 31 }, /expected \d\S* values/],
  ])('conv2d: %s', async (_, change, message) => {
    const promise = kernels.conv2d({ ...shape, ...arrays, ...change })
    await expect(promise).rejects.toThrow(InvalidArgumentError)
    await expect(promise).rejects.toThrow(message)
  })

  it('gradients: lengths and overlap', async () => {
    const { input, weight, output: outputGradient } = arrays
    const wrong = kernels.conv2dBackwardInput({ ...shape, weight, outputGradient, inputGradient: f(3) })
    await expect(wrong).rejects.toThrow(/inputGradient: expected 200 values/)
    const same = kernels.conv2dBackwardWeight({ ...shape, input, outputGradient, weightGradient: outputGradient })
    await expect(same).rejects.toThrow(/weightGradient: expected memory of its own/)
  })

  it.each([0, 1.5, 257, -1])('%s threads', (threads) => {
    expect(() => createFloatKernels({ threads })).toThrow(InvalidArgumentError)
  })

  it('an unknown kernel, asked for or forced', () => {
    expect(() => createFloatKernels({ kernel: 'sse9' as FloatKernelName })).toThrow(/kernel: expected one of scalar/)
    const before = process.env.HE_ML_KERNEL
    try {
      process.env.HE_ML_KERNEL = 'none-such'
      expect(() => createFloatKernels()).toThrow(/none-such/)
    } finally {
      if (before === undefined) delete process.env.HE_ML_KERNEL
      else process.env.HE_ML_KERNEL = before
    }
  })
})
