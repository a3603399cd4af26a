import { CancelledError, InvalidArgumentError } from '@he-ml/ckks-core'
import { createTensor, Model, type Tensor } from '@he-ml/model'
import { linear } from '@he-ml/nn-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindPlan } from '../bind/bind-plan.ts'
import { compileAndBind } from '../compile/compile.ts'
import { approximate, deepChain, randomTensor, smallCnn } from '../pipeline.test-helper.ts'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { fit } from '../ready/fit.ts'
import { simulate } from './simulate.ts'

const largest = ({ data }: Tensor): number => data.indexOf(Math.max(...data))
const samples = Array.from({ length: 40 }, (_, i) => randomTensor([1, 8, 8], 100 + i))
const with0 = (value: number): Tensor => createTensor([1, 8, 8], new Float64Array(64).fill(value, 0, 1))
const training = Array.from({ length: 20 }, (_, i) => randomTensor([1, 8, 8], 500 + i))

describe('simulate', () => {
  const model = smallCnn('relu')
  let bound: BoundPlan

  beforeAll(async () => {
    const calibration = await fit(model, training)
    bound = await compileAndBind(model, { calibration, activation: { degree: 3 }, precisionBits: -Infinity })
  })

  it('answers as the network with its polynomials does', async () => {
    const wanted = samples.map((x) => model.forward(x))
    const got = samples.map((x) => approximate(bound.model, x))
    const labels = wanted.map((y, i) => (i % 4 === 0 ? (largest(y) + 1) % 3 : largest(y)))
    const {
      differing,
      agreement,
      answers,
      accuracy,
      layers,
      outputs,
      samples: count,
    } = await simulate(bound, model, samples, { labels })
    expect(count).toBe(40)
    expect(differing).toEqual(samples.flatMap((_, i) => (largest(wanted[i]!) === largest(got[i]!) ? [] : [i])))
    expect(agreement).toBeCloseTo(1 - differing.length / 40, 12)
    expect(answers).toEqual({ exact: wanted.map(largest), planned: got.map(largest) })
    expect(accuracy!.exact).toBeCloseTo(0.75, 12)
    const right = got.filter((y, i) => largest(y) === labels[i]).length
    expect(accuracy!.planned).toBeCloseTo(right / 40, 12)
    for (const [k, bits] of outputs.polynomialBits.entries()) {
      const values = wanted.map(({ data }) => data[k]!)
      const squares = wanted.reduce((sum, { data }, i) => sum + (data[k]! - got[i]!.data[k]!) ** 2, 0)
      const range = Math.max(...values) - Math.min(...values)
      expect(bits).toBeCloseTo(Math.log2(range / Math.sqrt(squares / 40)), 3)
      expect(outputs.noiseBits[k]).toBeCloseTo(Math.log2(range) + bound.plan.report.precisionBits, 6)
    }
    // one activation, whose error is what the outputs' is made of
    expect(layers.map(({ name, kind, values }) => [name, kind, values])).toEqual([['act', 'activation', 40 * 72]])
    expect(layers[0]!.worstError).toBeGreaterThan(layers[0]!.rmsError)
    expect(layers[0]!.outside).toBeLessThan(0.01)
  })
  it('the binding of a plan that was read from its file is simulated alike', async () => {
    const again = await simulate(bindPlan(bound.plan, model), model, samples)
    expect(again).toEqual(await simulate(bound, model, samples))
    expect(again).not.toHaveProperty('accuracy')
  })
  it('tells what leaves the range that a polynomial is for', async () => {
    const far = samples.map(({ shape, data }) =>
      createTensor(
        shape,
        data.map((x) => 4 * x),
      ),
    )
    const [near] = (await simulate(bound, model, samples)).layers
    const { layers } = await simulate(bound, model, far)
    expect(layers[0]!.outside).toBeGreaterThan(0.2)
    expect(layers[0]!.furthest).toBeGreaterThan(0.5)
    expect(layers[0]!.worstError).toBeGreaterThan(10 * near!.worstError)
  })
  it('counts samples whose answer noise may turn', async () => {
    const noisy = { ...bound, plan: { ...bound.plan, report: { ...bound.plan.report, precisionBits: 2 } } }
    const { undecided } = await simulate(noisy, model, samples)
    const lead = ({ data }: Tensor) => {
      const [a, b] = [...data].sort((x, y) => y - x)
      return a! - b!
    }
    const leads = samples.map((x) => lead(approximate(bound.model, x)))
    expect(undecided).toEqual(leads.flatMap((gap, i) => (gap < 6 * Math.SQRT2 * 0.25 ? [i] : [])))
    expect(undecided.length).toBeGreaterThan(0)
    expect((await simulate(bound, model, samples)).undecided).toEqual([])
  })
  it('measures by the largest output where an output never changes: one sample, or always the same', async () => {
    const [one] = samples
    const [wanted, got] = [model.forward(one!), approximate(bound.model, one!)]
    const size = Math.max(...wanted.data.map(Math.abs))
    for (const given of [[one!], [one!, one!]]) {
      const { outputs, answers } = await simulate(bound, model, given)
      for (const [k, bits] of outputs.polynomialBits.entries())
        expect(bits).toBeCloseTo(Math.log2(size / Math.abs(wanted.data[k]! - got.data[k]!)), 2)
      for (const bits of outputs.noiseBits)
        expect(bits).toBeCloseTo(Math.log2(size) + bound.plan.report.precisionBits, 6)
      expect(answers!.exact).toEqual(given.map(() => largest(wanted)))
    }
  })
  it('tells no answers of a network with one output, and no error of nothing', async () => {
    const layer = linear({ name: 'none', weights: createTensor([1, 4], new Float64Array(4).fill(0.25)) })
    const mean = new Model({ name: 'mean', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
    const report = await simulate(await compileAndBind(mean), mean, [createTensor([4], new Float64Array(4))])
    for (const field of ['answers', 'agreement', 'accuracy']) expect(report).not.toHaveProperty(field)
    expect(report.outputs).toEqual({ polynomialBits: [Infinity], noiseBits: [0] })
  })
  it('a result that left all bounds is no answer', async () => {
    const far = createTensor(
      samples[0]!.shape,
      samples[0]!.data.map((x) => x * 1e15),
    )
    const { differing, outputs } = await simulate(bound, model, [samples[0]!, far])
    expect(differing).toEqual([1])
    for (const bits of outputs.polynomialBits) expect(bits).toBeLessThan(0)
  })
  it('polynomials that are the function cost nothing', async () => {
    const square = smallCnn('square')
    const { outputs, agreement, layers } = await simulate(await compileAndBind(square), square, samples)
    expect(agreement).toBe(1)
    expect(layers).toEqual([])
    for (const bits of outputs.polynomialBits) expect(bits).toBeGreaterThan(20)
  })
  it('does deep networks, reports progress and can be cancelled', async () => {
    const deep = deepChain(3)
    const plan = await compileAndBind(deep, { calibration: await fit(deep, training), activation: { degree: 7 } })
    const seen: number[] = []
    const { layers } = await simulate(plan, deep, samples, { onProgress: (done) => seen.push(done) })
    expect(layers).toHaveLength(3)
    expect(seen.at(-1)).toBe(40)
    await expect(simulate(plan, deep, samples, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
  })
  it.each([
    ['no samples', () => simulate(bound, model, []), /at least one sample/],
    ['another model', () => simulate(bound, smallCnn('relu', 7), samples), /another model/],
    ['a wrong shape', () => simulate(bound, model, [randomTensor([1, 4, 4], 1)]), /\[1,4,4\]/],
    ['too few labels', () => simulate(bound, model, samples, { labels: [1] }), /1 labels for 40 samples/],
    ['NaN', () => simulate(bound, model, [samples[0]!, with0(Number.NaN)]), /simulate: sample 1: element 0 is NaN/],
    ['infinities', () => simulate(bound, model, [with0(-Infinity)]), /sample 0: element 0 is -Infinity/],
    ['one tensor', () => simulate(bound, model, samples[0] as never), /simulate: expected a list of tensors/],
    ['a misspelt option', () => simulate(bound, model, samples, { label: [1] } as never), /did you mean labels\?/],
    ['null', () => simulate(bound, model, samples, null as never), /options must be an object, got null/],
    ['labels of another kind', () => simulate(bound, model, samples, { labels: 3 } as never), /labels must be a list/],
    ['a label beyond', () => simulate(bound, model, samples.slice(0, 1), { labels: [3] }), /outputs 0 to 2/],
  ])('refuses %s', async (_, call, message) => {
    await expect(call()).rejects.toThrow(InvalidArgumentError)
    await expect(call()).rejects.toThrow(message)
  })
})
