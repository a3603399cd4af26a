import {
  createFloatKernels,
  type FloatBatch,
  type FloatLayer,
  isFloatLayer,
  referenceKernels,
} from '@he-ml/float-kernels'
import { createTensor, type Layer, sizeOf, type Tensor } from '@he-ml/model'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import {
  ActivationLayer,
  activation,
  add,
  averagePool2d,
  batchNorm,
  conv2d,
  flatten,
  globalAveragePool,
  identity,
  linear,
  reshape,
  select,
  sumPool2d,
} from '../index.ts'
import { randomTensor } from '../testing/run-layer.ts'

const compiled = createFloatKernels({ threads: 2 })
afterAll(() => compiled[Symbol.asyncDispose]())

const COUNT = 3
/** Half the distance of 1 to the next number of single precision. */
const UNIT = 2 ** -24

/** Values that single precision holds. */
const singles = (shape: readonly number[], seed: number): Tensor =>
  createTensor(shape, randomTensor(shape, seed).data.map(Math.fround))

const stack = (tensors: readonly Tensor[]): FloatBatch => ({
  shape: tensors[0]!.shape,
  count: tensors.length,
  data: Float32Array.from(tensors.flatMap(({ data }) => [...data])),
})

/** `COUNT` inputs of each shape through `forward` one by one, and through every implementation of the kernels at once. */
async function runBoth(layer: Layer & FloatLayer, shapes: readonly (readonly number[])[]) {
  const inputs = Array.from({ length: COUNT }, (_, n) => shapes.map((shape, i) => singles(shape, 10 * n + i + 1)))
  const batches = shapes.map((_, i) => stack(inputs.map((given) => given[i]!)))
  const results: Float32Array[] = []
  for (const kernels of [compiled, referenceKernels]) {
    const { shape, count, data } = await layer.forwardFloat(kernels, batches)
    expect(shape).toEqual(layer.outputShape(shapes))
    expect(count).toBe(COUNT)
    expect(data).toHaveLength(COUNT * sizeOf(shape))
    results.push(data)
  }
  return { inputs, results, wanted: inputs.flatMap((given) => [...layer.forward(given).data]) }
}

/** Bounds every value's difference by `roundings` units of the sum of its terms' sizes, which `sizes` computes. */
async function expectWithinRounding(
  layer: Layer & FloatLayer,
  sizes: Layer,
  shape: readonly number[],
  roundings: number,
) {
  const { inputs, results, wanted } = await runBoth(layer, [shape])
  const bounds = inputs.flatMap(([x]) => [...sizes.forward([createTensor(shape, x!.data.map(Math.abs))]).data])
  for (const data of results)
    for (const [i, value] of data.entries())
      expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(roundings * UNIT * bounds[i]!)
}

const absolute = ({ shape, data }: Tensor): Tensor => createTensor(shape, data.map(Math.abs))
const size = (min: number, max: number) => fc.integer({ min, max })
const pair = (min: number, max: number) => fc.tuple(size(min, max), size(min, max))

describe('on batches, a layer', () => {
  it('with windows of any padding, stride, dilation and groups gives what forward gives, up to rounding', async () => {
    const shapes = fc
      .record({
        groups: size(1, 2),
        channels: pair(1, 3),
        image: pair(3, 9),
        kernel: pair(1, 3),
        stride: pair(1, 3),
        dilation: pair(1, 2),
        padding: fc.tuple(size(0, 2), size(0, 2), size(0, 2), size(0, 2)),
        hasBias: fc.boolean(),
      })
      .filter(({ image, kernel, dilation, padding }) =>
        [0, 1].every(
          (a) =>
            dilation[a]! * (kernel[a]! - 1) < image[a]! && padding[a]! < kernel[a]! && padding[a + 2]! < kernel[a]!,
        ),
      )
    await fc.assert(
      fc.asyncProperty(shapes, async ({ groups, channels, image, kernel, hasBias, ...window }) => {
        const weights = randomTensor([groups * channels[0], channels[1], ...kernel], 5)
        const bias = randomTensor([groups * channels[0]], 6).data
        const layer = conv2d({ name: 'conv', weights, groups, ...window, ...(hasBias && { bias }) })
        const sizes = layer.replace(absolute(weights), hasBias ? bias.map(Math.abs) : undefined)
        // weights rounded, and each of the products and sums
        const roundings = channels[1] * kernel[0] * kernel[1] + 3
        await expectWithinRounding(layer, sizes, [groups * channels[1], ...image], roundings)
      }),
      { numRuns: 80 },
    )
  })
  it.each([true, false])('that is fully connected does, with a bias: %s', async (hasBias) => {
    const weights = randomTensor([7, 33], 1)
    const bias = randomTensor([7], 2).data
    const layer = linear({ name: 'fc', weights, ...(hasBias && { bias }) })
    await expectWithinRounding(
      layer,
      layer.replace(absolute(weights), hasBias ? bias.map(Math.abs) : undefined),
      [33],
      36,
    )
  })
  it.each([[[3, 4, 5]], [[3]]])('that normalises [%s] does', async (shape) => {
    const [mean, variance] = [randomTensor([3], 1).data, Float64Array.of(1, 2, 3)]
    const layer = batchNorm({ name: 'bn', mean, variance })
    const sizes = batchNorm({ name: 'bn', mean: mean.map((m) => -Math.abs(m)), variance })
    // multiplier and shift rounded, and the result
    await expectWithinRounding(layer, sizes, shape, 3)
  })
  it.each<[string, Layer & FloatLayer, readonly (readonly number[])[]]>([
    [
      'adds',
      add({ name: 'x' }),
      [
        [2, 3, 4],
        [2, 3, 4],
      ],
    ],
    ['squares', activation({ name: 'x', function: 'square' }) as Layer & FloatLayer, [[2, 3, 4]]],
    ...(['relu', 'silu', 'tanh'] as const).map((fn): [string, Layer & FloatLayer, number[][]] => [
      fn,
      activation({ name: 'x', function: fn }),
      [[2, 3, 4]],
    ]),
    ['has a factor', new ActivationLayer('x', 'relu', { inputFactor: 1 / 2, outputFactor: -3 }), [[9]]],
    ['pools', averagePool2d({ name: 'x', kernel: 2 }), [[3, 6, 8]]],
    ['pools everything', globalAveragePool({ name: 'x' }), [[3, 5, 4]]],
    ['sums', sumPool2d({ name: 'x', kernel: [2, 3], stride: [1, 2] }), [[3, 6, 8]]],
    [
      'pools with padding that does not count and partial windows',
      averagePool2d({ name: 'x', kernel: 3, stride: 2, padding: 1, countPadding: false, ceilMode: true }),
      [[2, 6, 8]],
    ],
    ['flattens', flatten({ name: 'x' }), [[2, 3, 4]]],
    ['reshapes', reshape({ name: 'x', shape: [4, 3, 2] }), [[2, 3, 4]]],
    ['does nothing', identity({ name: 'x' }), [[2, 3, 4]]],
    ['selects', select({ name: 'x', offset: 5, sizes: [2, 3], strides: [6, -2] }), [[2, 6]]],
  ])('that %s gives what forward gives, rounded once', async (_, layer, shapes) => {
    expect(isFloatLayer(layer)).toBe(true)
    const { results, wanted } = await runBoth(layer, shapes)
    for (const data of results) expect(data).toEqual(Float32Array.from(wanted))
  })
  it('keeps values that are not finite', async () => {
    const relu = activation({ name: 'x', function: 'relu' }) as Layer & FloatLayer
    const data = Float32Array.of(Number.NaN, Infinity, -Infinity)
    expect((await relu.forwardFloat(referenceKernels, [{ shape: [3], count: 1, data }])).data).toEqual(
      Float32Array.of(Number.NaN, Infinity, 0),
    )
  })
  it.each<[Layer & FloatLayer, readonly (readonly number[])[]]>([
    [conv2d({ name: 'it', weights: randomTensor([1, 2, 1, 1], 1) }), [[3, 4, 4]]],
    [linear({ name: 'it', weights: randomTensor([1, 2], 1) }), [[3]]],
    [add({ name: 'it' }), [[3], [4]]],
    [batchNorm({ name: 'it', mean: Float64Array.of(1), variance: Float64Array.of(1) }), [[3]]],
    [select({ name: 'it', sizes: [4], strides: [1] }), [[3]]],
  ])('refuses shapes that do not fit, by name', async (layer, shapes) => {
    const batches = shapes.map((shape) => stack([singles(shape, 1)]))
    await expect(layer.forwardFloat(referenceKernels, batches)).rejects.toThrow(/"it"/)
  })
})
