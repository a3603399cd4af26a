/** Many images through a residual network with strides, a channel in a ciphertext: planned, bound, run. */
import { createTensor, type Layer, Model, type NodeDescription } from '@he-ml/model'
import { activation, add, averagePool2d, conv2d, flatten, globalAveragePool, linear } from '@he-ml/nn-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindPlan } from './bind/bind-plan.ts'
import { compileAndBind } from './compile/compile.ts'
import {
  approximate,
  clearStage,
  compileInsecure,
  deepChain,
  images,
  leastBits,
  mostBits,
  nativeStage,
  precisionBits,
  randomTensor,
  refreshesOf,
} from './pipeline.test-helper.ts'
import type { BoundPlan } from './plan/bound-plan.ts'
import { inputLayoutOf, outputLayoutOf, parsePlan, sealPlan } from './plan/plan.ts'
import { fit } from './ready/fit.ts'
import { Runner } from './run/run.ts'

const conv = (name: string, [outputs, inputs, kernel]: readonly number[], seed: number, stride = 1): Layer =>
  conv2d({
    name,
    weights: randomTensor([outputs!, inputs!, kernel!, kernel!], seed, 1.4 / Math.sqrt(inputs! * kernel! * kernel!)),
    bias: randomTensor([outputs!], seed + 1, 0.2).data,
    stride,
    padding: (kernel! - 1) / 2,
  })

/** Layers one after another, on 8 x 8 images. */
const chained = (name: string, layers: readonly Layer[]): Model =>
  new Model({
    name,
    input: { name: 'image', shape: [1, 8, 8] },
    nodes: layers.map((layer, i) => ({ layer, inputs: [layers[i - 1]?.name ?? 'image'] })),
  })

/** Layers that make bootstraps necessary. */
const deeper: readonly NodeDescription[] = ['first', 'second', 'third', 'fourth'].flatMap((name, i, all) => [
  { layer: activation({ name: `${name} act`, function: 'relu' }), inputs: [all[i - 1] ?? 'stem'] },
  { layer: conv(name, [2, 2, 3], 11 + i), inputs: [`${name} act`] },
])

/** A stem, a block that halves the image and doubles the channels, global pooling, three classes; on 8 x 8 images. */
function network(isDeep = false): Model {
  const nodes: NodeDescription[] = [
    { layer: conv('stem', [2, 1, 3], 1), inputs: ['image'] },
    ...(isDeep ? deeper : []),
    { layer: activation({ name: 'act', function: 'square' }), inputs: [isDeep ? 'fourth' : 'stem'] },
    { layer: conv('down', [4, 2, 3], 3, 2), inputs: ['act'] },
    { layer: activation({ name: 'inner', function: 'relu' }), inputs: ['down'] },
    { layer: conv('same', [4, 4, 3], 5), inputs: ['inner'] },
    { layer: conv('short', [4, 2, 1], 7, 2), inputs: ['act'] },
    { layer: add({ name: 'sum' }), inputs: ['same', 'short'] },
    { layer: globalAveragePool({ name: 'pool' }), inputs: ['sum'] },
    { layer: flatten({ name: 'flat' }), inputs: ['pool'] },
    { layer: linear({ name: 'fc', weights: randomTensor([3, 4], 9, 0.5) }), inputs: ['flat'] },
  ]
  return new Model({ name: 'strided', input: { name: 'image', shape: [1, 8, 8] }, nodes })
}

describe('a residual network on channel packing', () => {
  const given = images(5)
  let bound: BoundPlan
  const want = () => given.map((image) => approximate(bound.model, image))
  beforeAll(async () => {
    const model = network()
    const calibration = await fit(model, images(16))
    const options = { calibration, activation: { degree: 7, margin: 1.25 }, scaleBits: 40 }
    bound = await compileAndBind(model, { ...options, packing: 'channel', batch: 8 })
  })

  it('is planned for the batch asked for, one ciphertext per channel and class', async () => {
    const { plan } = bound
    expect(plan).toMatchObject({ packing: 'channel', batch: 8, input: { ciphertexts: 1, slots: 512 } })
    expect(inputLayoutOf(plan)).toMatchObject({ kind: 'channel', images: 8 })
    expect(outputLayoutOf(plan)).toMatchObject({ shape: [3], image: [3, 1, 1], images: 8 })
    const again = await bindPlan(parsePlan(JSON.stringify(plan)), network())
    expect(again.plan.id).toBe(plan.id)
  })
  it('computes every image on the clear engine, and on ciphertexts within the predicted precision', async () => {
    const clear = clearStage(bound)
    using exact = await new Runner(bound, clear.engine).run(await clear.encrypt(given))
    // the clear engine rounds neither weights nor masks
    expect(precisionBits(await clear.decrypt(exact, given.length), want())).toBeGreaterThan(40)
    await using native = await nativeStage(bound)
    await using runner = new Runner(bound, native.engine)
    using output = await runner.run(await native.encrypt(given))
    const bits = precisionBits(await native.decrypt(output, given.length), want())
    expect(bits).toBeGreaterThan(leastBits(bound, given.length))
    expect(bits).toBeLessThan(mostBits(bound, given.length))
  })
  it('gives the channels of each ciphertext polynomials of their own, which the plan keeps', async () => {
    const layers = [
      conv('first', [3, 1, 3], 1),
      activation({ name: 'act', function: 'relu' }),
      conv('last', [2, 3, 3], 5),
    ]
    const model = chained('own', layers)
    const calibration = await fit(model, images(64))
    const wishes = { degree: 7, margin: 1.25, method: 'least-squares' as const }
    const options = { calibration, scaleBits: 40, packing: 'channel' as const, batch: 8 }
    const own = await compileAndBind(model, { ...options, activation: wishes })
    expect(own.plan.decided.fitted.act).toMatchObject({ channels: { share: 1 } })
    const common = await compileAndBind(model, { ...options, activation: { ...wishes, perChannel: false } })
    expect(common.plan.decided.fitted.act).not.toHaveProperty('channels')
    // gains of errors are those of the polynomials themselves
    const costs = ({ plan }: BoundPlan) => plan.report.layers.map(({ precisionBits: _, ...costs }) => costs)
    expect(costs(own)).toEqual(costs(common))
    // they are nearer to the exact network on images like those that were seen
    const exact = images(16, 300).map((image) => model.forward(image))
    const near = ({ model }: BoundPlan) =>
      precisionBits(
        images(16, 300).map((image) => approximate(model, image)),
        exact,
      )
    expect(near(own)).toBeGreaterThan(near(common))

    const again = bindPlan(parsePlan(JSON.stringify(own.plan)), model)
    await using native = await nativeStage(again)
    await using runner = new Runner(again, native.engine)
    using output = await runner.run(await native.encrypt(given))
    const wanted = given.map((image) => approximate(own.model, image))
    const bits = precisionBits(await native.decrypt(output, given.length), wanted)
    expect(bits).toBeGreaterThan(leastBits(again, given.length))
    const { act } = own.plan.decided.fitted
    const wrong = { ...own.plan.decided.fitted, act: { ...act, channels: { share: 1, coefficients: [] } } }
    expect(() => bindPlan(sealPlan({ ...own.plan, decided: { ...own.plan.decided, fitted: wrong } }), model)).toThrow(
      /polynomials of channels/,
    )
  })
  it('takes as many images as fit a ciphertext, or any number in sub-batches', async () => {
    const options = { activation: { degree: 7 }, packing: 'channel' as const, logN: 14 }
    const model = new Model({
      name: 'point',
      input: { name: 'image', shape: [1, 8, 8] },
      nodes: [{ layer: conv('only', [2, 1, 3], 1), inputs: ['image'] }],
    })
    expect((await compileAndBind(model, options)).plan).toMatchObject({
      batch: 2 ** 13 / 64,
      input: { slots: 2 ** 13 },
    })
    for (const batch of [0, 2.5, -1, Number.NaN])
      await expect(compileAndBind(model, { ...options, batch })).rejects.toThrow(
        /batch must be a positive number of images/,
      )
    await expect(compileAndBind(model, { ...options, batch: 2 ** 20 })).rejects.toThrow(
      /1 to 1024 sub-batches, got 8192/,
    )
    expect((await compileAndBind(model, { ...options, batch: 129 })).plan).toMatchObject({
      batch: 256,
      input: { slots: 2 ** 13, ciphertexts: 2 },
    })
  })
  it('is bootstrapped, too: values are refreshed channel by channel', async () => {
    const model = deepChain(6)
    const calibration = await fit(model, images(16))
    const options = { calibration, activation: { degree: 7, margin: 1.5 }, packing: 'channel' as const, batch: 4 }
    const deep = await compileInsecure(model, 5, options)
    expect(refreshesOf(deep.plan).length).toBeGreaterThan(0)
    await using native = await nativeStage(deep)
    await using runner = new Runner(deep, native.engine)
    using output = await runner.run(await native.encrypt(given.slice(0, 4)))
    const wanted = given.slice(0, 4).map((image) => approximate(deep.model, image))
    const bits = precisionBits(await native.decrypt(output, 4), wanted)
    expect(bits).toBeGreaterThan(leastBits(deep, 4))
  })
})

describe('a batch of many sub-batches', () => {
  /** Sixteen sub-batches of eight images: eight tiles, of which four each become one where the image is halved, and two at the end. */
  const given = images(100)
  let bound: BoundPlan
  beforeAll(async () => {
    const model = network(true)
    const calibration = await fit(model, images(16), { equalize: true })
    const options = { calibration, activation: { degree: 7, margin: 1.5 }, packing: 'channel' as const, batch: 100 }
    bound = await compileInsecure(model, 5, options)
  })

  it('goes through the first layers tile by tile, and merges where there is room', () => {
    const { plan, program } = bound
    expect(plan.batch).toBe(128)
    expect(inputLayoutOf(plan)).toMatchObject({ images: 8, subBatches: 16, subBatchOffsets: [0], ciphertexts: 16 })
    // three classes of sixteen sub-batches share a ciphertext in the end
    expect(outputLayoutOf(plan)).toMatchObject({ subBatches: 16, ciphertexts: 1, channelOffsets: [0, 2, 4] })
    const names = program.tasks.map(({ id }) => id)
    expect(names.slice(0, 2)).toEqual(['stem [1/8]', 'first act [1/8]'])
    // depth first: the second half of the batch begins when the first has been merged
    expect(names.indexOf('merge down [1/2]')).toBeLessThan(names.indexOf('stem [5/8]'))
    expect(names.filter((name) => name.startsWith('inner'))).toEqual(['inner [1/2]', 'inner [2/2]'])
    expect(names.at(-1)).toBe('merge fc')
    expect(refreshesOf(plan).length).toBeGreaterThan(0)
  })
  it('is bound again from its plan, tile for tile', async () => {
    const calibration = await fit(network(), images(16))
    const options = { calibration, activation: { degree: 7, margin: 1.25 }, packing: 'channel' as const, batch: 300 }
    const { plan, program } = await compileAndBind(network(), { ...options, logN: 14 })
    const again = bindPlan(parsePlan(JSON.stringify(plan)), network())
    expect(plan).toMatchObject({ batch: 512, input: { ciphertexts: 4 } })
    const about = ({ tasks, values }: typeof program) => [
      tasks.map(({ id, reads, writes, level, tile }) => ({ id, reads, writes, level, tile })),
      [...values.values()],
    ]
    expect(about(again.program)).toEqual(about(program))
    expect(program.tasks.filter(({ tile }) => tile === 1).length).toBeGreaterThan(0)
    const crossed = { ...plan, tasks: plan.tasks.map((task) => (task.tile === 1 ? { ...task, tile: 0 } : task)) }
    expect(() => bindPlan(sealPlan(crossed), network())).toThrow(
      /layer "stem" \(tile 1\) stands where "stem" \(tile 2\)/,
    )
  })
  it('computes every image on the clear engine, and on ciphertexts within the predicted precision', async () => {
    const want = given.map((image) => approximate(bound.model, image))
    const clear = clearStage(bound)
    using exact = await new Runner(bound, clear.engine).run(await clear.encrypt(given))
    expect(precisionBits(await clear.decrypt(exact, given.length), want)).toBeGreaterThan(20)
    await using native = await nativeStage(bound)
    await using runner = new Runner(bound, native.engine)
    using output = await runner.run(await native.encrypt(given))
    const bits = precisionBits(await native.decrypt(output, given.length), want)
    expect(bits).toBeGreaterThan(leastBits(bound, given.length))
    expect(bits).toBeLessThan(mostBits(bound, given.length))
  })
})

/** Some images of a whole batch, such as those of the first and the last sub-batch, on the clear engine. */
async function expectRight(bound: BoundPlan, count: number, some: readonly number[], bits: number): Promise<void> {
  const clear = clearStage(bound)
  const given = images(count, 7)
  using output = await new Runner(bound, clear.engine).run(await clear.encrypt(given))
  const got = await clear.decrypt(output, given.length)
  for (const i of some) expect(precisionBits([got[i]!], [approximate(bound.model, given[i]!)])).toBeGreaterThan(bits)
}

describe('a batch that does not come together on its way', () => {
  const single = (stride: number): Model =>
    new Model({
      name: 'single',
      input: { name: 'image', shape: [1, 8, 8] },
      nodes: [{ layer: conv('only', [2, 1, 3], 1, stride), inputs: ['image'] }],
    })
  it.each([1, 2])('is one tensor in the end, after a stride of %i', async (stride) => {
    const model = single(stride)
    const options = { scaleBits: 40, packing: 'channel' as const, batch: 2048, logN: 14 }
    const bound = await compileAndBind(model, options)
    expect(bound.plan).toMatchObject({ batch: 2048, input: { ciphertexts: 16 } })
    await expectRight(bound, 2048, [0, 127, 128, 1000, 2047], 30)
  })
  it('is right where weights are integers, and halves of two sub-batches', async () => {
    const layers = [
      conv('conv', [2, 1, 3], 1),
      activation({ name: 'act', function: 'square' }),
      averagePool2d({ name: 'pool', kernel: 3, stride: 2, padding: 1 }),
      conv('last', [3, 2, 3], 5),
    ]
    const model = chained('pooled', layers)
    const calibration = await fit(model, images(16))
    const options = { calibration, activation: { degree: 2 }, scaleBits: 40, packing: 'channel' as const, logN: 14 }
    const bound = await compileAndBind(model, { ...options, batch: 512 })
    expect(bound.plan.input.ciphertexts).toBe(4)
    await using native = await nativeStage(bound)
    const given = images(300, 7)
    using output = await new Runner(bound, native.engine).run(await native.encrypt(given))
    const want = given.map((image) => approximate(bound.model, image))
    expect(precisionBits(await native.decrypt(output, given.length), want)).toBeGreaterThan(
      leastBits(bound, given.length),
    )
  })
  it('adds what a strided convolution and a pooling make of it: both merge', async () => {
    const nodes: NodeDescription[] = [
      { layer: conv('stem', [2, 1, 3], 1), inputs: ['image'] },
      { layer: conv('down', [2, 2, 3], 3, 2), inputs: ['stem'] },
      { layer: averagePool2d({ name: 'pool', kernel: 2 }), inputs: ['stem'] },
      { layer: add({ name: 'sum' }), inputs: ['down', 'pool'] },
      { layer: activation({ name: 'act', function: 'square' }), inputs: ['sum'] },
    ]
    const model = new Model({ name: 'pooled', input: { name: 'image', shape: [1, 8, 8] }, nodes })
    const calibration = await fit(model, images(16))
    const options = { calibration, activation: { degree: 2 }, scaleBits: 40, packing: 'channel' as const, logN: 14 }
    const bound = await compileAndBind(model, { ...options, batch: 1024 })
    expect(bound.program.tasks.filter(({ kind }) => kind === 'merge').length).toBeGreaterThan(1)
    await expectRight(bound, 1024, [0, 200, 1023], 25)
  })
  it('bears layers that are called like what is made of others', async () => {
    const layer = (name: string, from: number, stride = 1) => conv(name, [2, from, 3], 1, stride)
    const nodes: NodeDescription[] = [
      { layer: layer('only', 1, 2), inputs: ['image'] },
      ...['merge only', 'only, apart', 'only [1/4]', 'image [1/4]', 'image [1/8]'].map((name, i, all) => ({
        layer: layer(name, 2),
        inputs: [all[i - 1] ?? 'only'],
      })),
    ]
    const model = new Model({ name: 'names', input: { name: 'image', shape: [1, 8, 8] }, nodes })
    const options = { scaleBits: 40, packing: 'channel' as const, batch: 2048, logN: 14 }
    const bound = await compileAndBind(model, options)
    const ids = bound.program.tasks.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(bindPlan(parsePlan(JSON.stringify(bound.plan)), model).plan.id).toBe(bound.plan.id)
    await expectRight(bound, 2048, [0, 1000, 2047], 25)
  })
  it('is refused when nothing is computed of it', async () => {
    const { input, nodes } = single(1)
    const model = new Model({ name: 'same', input, nodes, output: 'image' })
    for (const packing of ['multiplexed', 'batch', 'channel'] as const)
      await expect(compileAndBind(model, { packing, scaleBits: 40 })).rejects.toThrow(/output "image" is its input/)
  })
})

it('binds a plan whose activation is a line for all that its calibration has seen', async () => {
  const weights = createTensor([1, 1, 1, 1], Float64Array.of(1))
  const layers = [
    conv2d({ name: 'up', weights, bias: Float64Array.of(3) }),
    activation({ name: 'act', function: 'relu' }),
    conv('last', [2, 1, 3], 5),
  ]
  const model = chained('line', layers)
  const calibration = await fit(model, images(16))
  const options = { calibration, activation: { degree: 7 }, scaleBits: 40 }
  const { plan } = await compileAndBind(model, options)
  expect(bindPlan(parsePlan(JSON.stringify(plan)), model).plan.id).toBe(plan.id)
})
