import { UnsupportedError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { createTensor, foldFactors, gapsWanted, type Layer, Model, type Tensor } from './index.ts'

const map = (x: Tensor, f: (v: number) => number): Tensor => createTensor(x.shape, x.data.map(f))

/** Toy layers of one element, enough for graph passes. */
function toy(kind: string, name: string, f: (v: number) => number, more: Partial<Layer> = {}): Layer {
  return {
    kind,
    name,
    arity: 1,
    outputShape: ([shape]) => shape!,
    forward: ([x]) => map(x!, f),
    lower: () => {
      throw new UnsupportedError('toy')
    },
    ...more,
  }
}
const scale = (name: string, weight: number, bias: number): Layer =>
  toy('scale', name, (v) => weight * v + bias, {
    scaleOutput: (c) => scale(name, c * weight, c * bias),
    scaleInput: (c) => scale(name, c * weight, bias),
  })
const sum = (name: string): Layer => toy('sum', name, (v) => 4 * v, { homogeneous: true })
const average = (name: string): Layer =>
  toy('average', name, (v) => v, { factored: () => ({ factor: 1 / 4, layer: sum(name) }) })
const square = (name: string): Layer => toy('square', name, (v) => v * v, { gapSensitive: true })
const same = (name: string): Layer => toy('same', name, (v) => v, { homogeneous: true })

function chain(...layers: Layer[]): Model {
  const input = { name: 'x', shape: [1] }
  return new Model({
    name: 'm',
    input,
    nodes: layers.map((layer, i) => ({ layer, inputs: [i ? layers[i - 1]!.name : 'x'] })),
  })
}
const kinds = (model: Model): string[] => model.nodes.map((n) => n.layer.kind)
const at = (model: Model, v: number): number => model.forward(createTensor([1], Float64Array.of(v))).data[0]!

describe('foldFactors', () => {
  it.each([
    ['into the producer', chain(scale('a', 2, 3), average('p'), square('s')), 'sum'],
    ['through homogeneous layers', chain(scale('a', 2, 3), same('i'), average('p'), square('s')), 'sum'],
    ['into the reader when the producer cannot', chain(square('s'), average('p'), same('i'), scale('a', 2, 3)), 'sum'],
    ['nowhere between two squares', chain(square('s'), average('p'), square('t')), 'average'],
    ['nowhere at the ends', chain(average('p')), 'average'],
  ])('moves the factor %s', (_, model, kind) => {
    const folded = foldFactors(model)
    expect(kinds(folded)).toContain(kind)
    expect(at(folded, 1.5)).toBeCloseTo(at(model, 1.5), 12)
  })
  it('leaves a producer alone that others read too', () => {
    const model = new Model({
      name: 'm',
      input: { name: 'x', shape: [1] },
      nodes: [
        { layer: scale('a', 2, 3), inputs: ['x'] },
        { layer: square('s'), inputs: ['a'] },
        { layer: average('p'), inputs: ['a'] },
        { layer: square('t'), inputs: ['p'] },
      ],
    })
    expect(kinds(foldFactors(model))).toEqual(['scale', 'square', 'average', 'square'])
  })
})

describe('gapsWanted', () => {
  it('looks through homogeneous layers for one that is sensitive', () => {
    const model = chain(scale('a', 1, 0), same('i'), square('s'), same('j'), scale('b', 1, 0), scale('c', 1, 0))
    expect(['a', 'i', 's', 'j', 'b', 'c'].map((name) => gapsWanted(model, name))).toEqual([
      'zero',
      'zero',
      'any',
      'any',
      'any',
      'any',
    ])
  })
})
