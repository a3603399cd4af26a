/** Activations beside ReLU, functions of users, maxima and concatenation, through whole networks: fitted, planned, bound from a file, run on the clear engine. */
import { ParameterMismatchError } from '@he-ml/ckks-core'
import { type Layer, Model, type NodeDescription, sizeOf } from '@he-ml/model'
import {
  type ActivationFunction,
  activation,
  averagePool2d,
  clip,
  concat,
  conv2d,
  customActivation,
  elu,
  flatten,
  hardSigmoid,
  leakyRelu,
  linear,
  maxPool2d,
  prelu,
} from '@he-ml/nn-layers'
import { describe, expect, it } from 'vitest'
import { bindPlan } from './bind/bind-plan.ts'
import { compileAndBind } from './compile/compile.ts'
import { approximate, chain, clearStage, images, precisionBits, randomTensor } from './pipeline.test-helper.ts'
import { parsePlan } from './plan/plan.ts'
import { fit } from './ready/fit.ts'
import { Runner } from './run/run.ts'

const network = (act: Layer): Model =>
  chain(
    'act',
    [1, 8, 8],
    [
      conv2d({ name: 'conv', weights: randomTensor([3, 1, 3, 3], 1, 0.8), bias: randomTensor([3], 2, 0.2).data }),
      act,
      averagePool2d({ name: 'pool', kernel: 2 }),
      flatten({ name: 'flat' }),
      linear({ name: 'fc', weights: randomTensor([3, 27], 3, 0.5) }),
    ],
  )
const of = (fn: ActivationFunction | 'softplus' | 'hardSwish'): Layer => activation({ name: 'act', function: fn })
const own = (evaluate: (x: number) => number, version?: string): Model =>
  network(of(customActivation({ name: 'own', evaluate, ...(version ? { version } : {}) })))
const compiled = async (model: Model, packing: 'multiplexed' | 'batch' | 'channel', degree = 7) =>
  compileAndBind(model, {
    calibration: await fit(model, images(40)),
    activation: { degree, margin: 1.5 },
    scaleBits: 34,
    packing,
    ...(packing === 'multiplexed' ? {} : { batch: 8 }),
  })

/** Planned, bound from the plan's text, run; and near the exact network. */
async function expectToRun(make: () => Model, packing: 'multiplexed' | 'batch' | 'channel', degree = 7): Promise<void> {
  const model = make()
  const { plan } = await compiled(model, packing, degree)
  const bound = bindPlan(parsePlan(JSON.stringify(plan)), make())
  const given = images(packing === 'multiplexed' ? 1 : 3, 50)
  const want = given.map((image) => approximate(bound.model, image))
  const stage = clearStage(bound)
  const output = await new Runner(bound, stage.engine).run(await stage.encrypt(given))
  expect(precisionBits(await stage.decrypt(output, given.length), want)).toBeGreaterThan(30)
  const exact = given.map((image) => model.forward(image))
  expect(precisionBits(want, exact)).toBeGreaterThan(2)
}

const mish = (x: number): number => x * Math.tanh(Math.log1p(Math.exp(x)))

describe.each([
  ['softplus', of('softplus')],
  ['hardSwish', of('hardSwish')],
  ['leakyRelu', of(leakyRelu(0.1))],
  ['elu', of(elu())],
  ['hardSigmoid', of(hardSigmoid())],
  ['clip', of(clip(-0.5, 0.75))],
  ['a custom function', of(customActivation({ name: 'mish', evaluate: mish }))],
  ['prelu', prelu({ name: 'act', slopes: Float64Array.of(0.1, 0.3, -0.2) })],
] as const)('a network with %s', (_, act) => {
  it.each(['multiplexed', 'batch', 'channel'] as const)('runs, %s, as its plan binds again', async (packing) => {
    await expectToRun(() => network(act), packing)
  })
})

/** A convolution, two branches of which one is pooled to its maxima and one averaged, put together; on 8 x 8 images. */
function branched(kernel: number, stride: number): Model {
  const conv = (name: string, channels: readonly [number, number], seed: number) =>
    conv2d({
      name,
      weights: randomTensor([...channels, 3, 3], seed, 0.5),
      bias: randomTensor([channels[0]], seed + 1, 0.2).data,
    })
  const pool = maxPool2d({ name: 'most', input: 'stem', shape: [2, 6, 6], kernel, stride })
  const nodes: NodeDescription[] = [
    { layer: conv('stem', [2, 1], 1), inputs: ['image'] },
    ...pool,
    { layer: averagePool2d({ name: 'mean', kernel, stride }), inputs: ['stem'] },
    { layer: concat({ name: 'both', inputs: 2 }), inputs: ['most', 'mean'] },
    { layer: activation({ name: 'act', function: 'square' }), inputs: ['both'] },
    { layer: flatten({ name: 'flat' }), inputs: ['act'] },
  ]
  const before = new Model({ name: 'branched', input: { name: 'image', shape: [1, 8, 8] }, nodes })
  const features = sizeOf(before.shapes.get('flat')!)
  const end = { layer: linear({ name: 'fc', weights: randomTensor([3, features], 9, 0.3) }), inputs: ['flat'] }
  return new Model({ name: 'branched', input: { name: 'image', shape: [1, 8, 8] }, nodes: [...nodes, end] })
}

describe.each([
  [2, 2],
  [3, 1],
])('a network with maxima over windows of %i, stride %i, put beside means', (kernel, stride) => {
  it.each(['multiplexed', 'batch', 'channel'] as const)('runs, %s, as its plan binds again', async (packing) => {
    await expectToRun(() => branched(kernel, stride), packing, 15)
  })
})

describe('levels', () => {
  it('of slopes per channel: none more where channels have ciphertexts of their own, else one', async () => {
    const slopes = Float64Array.of(0.1, 0.3, -0.2)
    const depth = async (act: Layer, packing: 'multiplexed' | 'batch' | 'channel') =>
      (await compiled(network(act), packing)).plan.report.depth
    for (const packing of ['multiplexed', 'batch', 'channel'] as const)
      expect(await depth(prelu({ name: 'act', slopes }), packing)).toBe(
        (await depth(of(leakyRelu(0.1)), packing)) + (packing === 'multiplexed' ? 1 : 0),
      )
  })
})

describe('a plan with a function of the user', () => {
  it('does not bind to another function under its name, or to another version', async () => {
    const { plan } = await compiled(own(mish), 'multiplexed')
    const bind = (model: Model) => () => bindPlan(parsePlan(JSON.stringify(plan)), model)
    expect(bind(own((x) => mish(x)))).not.toThrow()
    for (const other of [own((x) => 1.01 * mish(x)), own(mish, '2'), network(of(elu()))])
      expect(bind(other)).toThrow(ParameterMismatchError)
  })
})
