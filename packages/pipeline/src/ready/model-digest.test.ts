import { createTensor, type Layer, Model } from '@he-ml/model'
import { activation, conv2d, flatten, linear } from '@he-ml/nn-layers'
import { describe, expect, it } from 'vitest'
import { bindPlan } from '../bind/bind-plan.ts'
import { compile } from '../compile/compile.ts'
import { chain, randomTensor, smallCnn } from '../pipeline.test-helper.ts'
import { modelDigest } from './model-digest.ts'

/** conv, relu that is dead everywhere, linear. */
const layers = (change: { weight?: number; tap?: number } = {}): Layer[] => {
  const fc = randomTensor([3, 36], 2)
  fc.data[17]! += change.weight ?? 0
  const conv = randomTensor([1, 1, 3, 3], 1)
  conv.data[4]! += change.tap ?? 0
  return [
    conv2d({ name: 'conv', weights: conv, bias: Float64Array.of(-100) }),
    activation({ name: 'act', function: 'relu' }),
    flatten({ name: 'flat' }),
    linear({ name: 'fc', weights: fc }),
  ]
}
const named = (name: string, list: readonly Layer[] = layers()): Model => chain(name, [1, 8, 8], list)

describe('the digest of a model', () => {
  const own = modelDigest(named('net'))

  it('does not know the name of the file, nor that of the input', () => {
    expect(modelDigest(named('renamed'))).toBe(own)
    const { nodes } = named('net')
    const [first, ...rest] = nodes
    const renamed = new Model({
      name: 'net',
      input: { name: 'pixels', shape: [1, 8, 8] },
      nodes: [{ layer: first!.layer, inputs: ['pixels'] }, ...rest],
    })
    expect(modelDigest(renamed)).toBe(own)
  })

  it('knows the grid of an input', () => {
    const { nodes } = named('net')
    const on = (step: number, count: number) =>
      modelDigest(new Model({ name: 'net', input: { ...named('net').input, grid: { step, count } }, nodes }))
    expect(new Set([own, on(1, 4), on(0.5, 4), on(1, 8)]).size).toBe(4)
  })

  it('so a renamed model binds to its plan', async () => {
    const plan = await compile(smallCnn(), { scaleBits: 28 })
    const { input, nodes, output } = smallCnn()
    expect(bindPlan(plan, new Model({ name: 'moved', input, nodes, output })).plan.id).toBe(plan.id)
  })

  it('shows a weight changed in its last digits, also behind an activation that is dead on every input', () => {
    expect(modelDigest(named('net', layers({ weight: 1e-13 })))).not.toBe(own)
    expect(modelDigest(named('net', layers({ tap: 1e-13 })))).not.toBe(own)
  })

  it('shows another function, another order, another name of a layer', () => {
    const swap = (make: (list: Layer[]) => Layer[]) => modelDigest(named('net', make(layers())))
    expect(swap((list) => list.with(1, activation({ name: 'act', function: 'silu' })))).not.toBe(own)
    expect(swap((list) => list.with(1, activation({ name: 'relu', function: 'relu' })))).not.toBe(own)
    expect(modelDigest(new Model({ ...named('net'), output: 'flat' }))).not.toBe(own)
    const twice = (inputs: readonly string[]) =>
      modelDigest(
        new Model({
          name: 'net',
          input: { name: 'x', shape: [2] },
          nodes: ['a', 'b', 'c'].map((name, i) => ({
            layer: linear({ name, weights: createTensor([2, 2], Float64Array.of(1, i, 2, 3)) }),
            inputs: [inputs[i]!],
          })),
        }),
      )
    expect(twice(['x', 'a', 'b'])).not.toBe(twice(['x', 'x', 'b']))
  })

  it('shows the polynomial that an activation brings', () => {
    const fixed = (shift: number) => {
      const statistics = { count: 9, min: -3, max: 4 + shift, mean: 0, std: 1, histogram: new Float64Array(8) }
      const [conv, act, ...rest] = layers()
      const calibrated = (act as unknown as { calibrate(s: object, o: object): Layer }).calibrate(statistics, {
        margin: 1,
        degree: 7,
      })
      return modelDigest(named('net', [conv!, calibrated, ...rest]))
    }
    expect(fixed(0)).toBe(fixed(0))
    expect(fixed(0)).not.toBe(fixed(1))
    expect(fixed(0)).not.toBe(own)
  })
})
