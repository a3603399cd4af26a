import { CancelledError, InvalidArgumentError } from '@he-ml/ckks-core'
import { createFloatKernels, type FloatKernelName, type FloatKernels, referenceKernels } from '@he-ml/float-kernels'
import { createTensor, type Layer, Model, type MultiOutputLayer, type Tensor } from '@he-ml/model'
import { activation, Conv2dLayer, LinearLayer, linear } from '@he-ml/nn-layers'
import { describe, expect, it } from 'vitest'
import { images, residual, smallCnn } from '../pipeline.test-helper.ts'
import type { Calibration } from './calibration.ts'
import { serializeCalibration } from './calibration-file.ts'
import { fit } from './fit.ts'

/** Half the distance of 1 to the next number of single precision. */
const UNIT = 2 ** -24

/** Roundings that a value of each layer may have gone through, at most: its own and those of what it is computed from. */
function roundingsOf(model: Model): Map<string, number> {
  const roundings = new Map([[model.input.name, 1]])
  for (const { name, layer, inputs } of model.nodes) {
    const read = Math.max(...inputs.map((i) => roundings.get(i)!))
    const terms =
      'weights' in layer ? (layer as Conv2dLayer).weights.data.length / (layer as Conv2dLayer).weights.shape[0]! : 1
    roundings.set(name, (layer.kind === 'square' ? 2 : 1) * read + terms + 3)
  }
  return roundings
}

/** The largest sum of the sizes of a value's terms, all weights and inputs taken as positive: what a rounding is relative to. */
function sizesOf(model: Model, inputs: readonly Tensor[]): Map<string, number> {
  const absolute = (t: Tensor) => createTensor(t.shape, t.data.map(Math.abs))
  const nodes = model.nodes.map(({ name, layer, inputs }) =>
    layer instanceof Conv2dLayer || layer instanceof LinearLayer
      ? { name, layer: layer.replace(absolute(layer.weights), layer.bias?.map(Math.abs)), inputs }
      : { name, layer, inputs },
  )
  const { name, input, output } = model
  const sizes = new Map<string, number>()
  for (const x of inputs)
    new Model({ name, input, output, nodes }).evaluate(absolute(x), (node, given) => {
      const result = (node.layer as Layer).forward(given)
      sizes.set(node.name, Math.max(sizes.get(node.name) ?? 0, ...result.data))
      sizes.set(input.name, Math.max(sizes.get(input.name) ?? 0, ...x.data.map(Math.abs)))
      return [result]
    })
  return sizes
}

/** Every statistic moves by no more than the values do. */
function expectAlike(got: Calibration, wanted: Calibration, model: Model, inputs: readonly Tensor[]): void {
  const [roundings, sizes] = [roundingsOf(model), sizesOf(model, inputs)]
  const near = (a: number, b: number, value: string, times = 1) =>
    expect(Math.abs(a - b), value).toBeLessThanOrEqual(times * roundings.get(value)! * UNIT * sizes.get(value)!)
  expect(got.samples).toBe(wanted.samples)
  expect(got.inputRange).toEqual(wanted.inputRange)
  expect(Object.keys(got.values!)).toEqual(Object.keys(wanted.values!))
  for (const [name, value] of Object.entries(got.values!)) {
    const other = wanted.values![name]!
    for (const key of ['largest', 'rms', 'sixth'] as const) near(value[key], other[key], name)
    // sqrt(E x^2 - (E x)^2) of a channel: a difference, so twice
    for (const key of ['mean', 'min', 'max', 'std'] as const)
      for (const [c, x] of value.channels![key].entries()) near(x, other.channels![key][c]!, name, 2)
  }
  for (const key of ['min', 'max'] as const)
    for (const [i, x] of got.outputRanges![key].entries()) near(x, wanted.outputRanges![key][i]!, model.output)
  near(got.outputMagnitude!, wanted.outputMagnitude!, model.output)
  for (const [node, { histogram, count, ...moments }] of Object.entries(got.statistics)) {
    const other = wanted.statistics[node]!
    const [read] = model.nodes.find(({ name }) => name === node)!.inputs
    expect(count).toBe(other.count)
    for (const key of ['min', 'max', 'mean', 'std'] as const) near(moments[key], other[key], read!, 2)
    // a value within rounding of a bin's edge may move to the next bin: 1 in 10^4, and these are hundreds
    const moved = histogram.reduce((sum, n, i) => sum + Math.abs(n - other.histogram[i]!), 0)
    expect(moved).toBeLessThanOrEqual(0.02 * count)
  }
}

/** Kernels of this machine on 1 and 3 threads. */
function* kernelsHere(): Generator<{ name: FloatKernelName; kernels: FloatKernels<Float32Array> & AsyncDisposable }> {
  for (const name of ['scalar', 'avx2', 'avx512'] as const)
    for (const threads of [1, 3]) {
      let kernels: FloatKernels<Float32Array> & AsyncDisposable
      try {
        kernels = createFloatKernels({ kernel: name, threads })
      } catch (error) {
        if (name === 'scalar') throw error
        continue
      }
      yield { name, kernels }
    }
}

const networks: readonly [string, Model, Tensor[]][] = [
  ['a convolution and a linear layer', smallCnn('relu'), images(7)],
  ['squares', smallCnn('square'), images(7)],
  ['three residual blocks', residual(3), images(7)],
]

describe('fit in single precision', () => {
  it.each(networks)('gives the statistics of double precision up to rounding: %s', async (_, model, data) => {
    const wanted = await fit(model, data, { precision: 'double' })
    expectAlike(await fit(model, data), wanted, model, data)
    expectAlike(await fit(model, data, { kernels: referenceKernels }), wanted, model, data)
  })
  it.each(networks)(
    'gives the same bits on any number of threads, and on all fused kernels: %s',
    async (_, model, data) => {
      const wanted = await fit(model, data, { precision: 'double' })
      const texts = { plain: new Set<string>(), fused: new Set<string>() }
      for (const { name, kernels } of kernelsHere()) {
        await using open = kernels
        const got = await fit(model, data, { kernels: open })
        texts[name === 'scalar' ? 'plain' : 'fused'].add(serializeCalibration(got))
        expectAlike(got, wanted, model, data)
      }
      expect(texts.plain.size).toBe(1)
      expect(texts.fused.size).toBeLessThanOrEqual(1)
    },
  )
  it('runs layers without a function for batches one by one, also those with several outputs', async () => {
    const halves: MultiOutputLayer = {
      kind: 'toy',
      name: 'halves',
      arity: 1,
      outputs: ['low', 'high'],
      outputShapes: () => [[1], [2]],
      digestParts: () => [],
      forwardAll: ([x]) => [createTensor([1], x!.data.slice(0, 1)), createTensor([2], x!.data.slice(1))],
    }
    const model = new Model({
      name: 'm',
      input: { name: 'x', shape: [2] },
      nodes: [
        {
          layer: linear({ name: 'fc', weights: createTensor([3, 2], Float64Array.of(1, 0, 0, 1, 1, 1)) }),
          inputs: ['x'],
        },
        { layer: halves, inputs: ['fc'] },
        { layer: activation({ name: 'act', function: 'relu' }), inputs: ['halves/high'] },
      ],
    })
    const data = [createTensor([2], Float64Array.of(1, -2)), createTensor([2], Float64Array.of(4, 8))]
    const got = await fit(model, data)
    expect(got).toEqual(await fit(model, data, { precision: 'double' }))
    expect(got.values!['halves/low']!.largest).toBe(4)
    expect(got.statistics.act).toMatchObject({ count: 4, min: -2, max: 12 })
  })
  it('refuses what single precision cannot hold, and ends between layers when told', async () => {
    const model = smallCnn('relu')
    const large = createTensor([1, 8, 8], new Float64Array(64).fill(1e39))
    await expect(fit(model, [large])).rejects.toThrow(InvalidArgumentError)
    await expect(fit(model, [large], { precision: 'double' })).resolves.toMatchObject({ samples: 1 })
    const stop = new AbortController()
    const kernels: FloatKernels<Float32Array> = {
      ...referenceKernels,
      conv2d: async (task) => {
        await referenceKernels.conv2d(task)
        stop.abort()
      },
    }
    let done = 0
    const running = fit(model, images(3), { kernels, signal: stop.signal, onProgress: (n) => (done = n) })
    await expect(running).rejects.toThrow(CancelledError)
    expect(done).toBe(0)
  })
})
