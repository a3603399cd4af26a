import { type Layer, Model } from '@he-ml/model'
import { expect, it } from 'vitest'
import { gapsWanted } from './gaps-wanted.ts'

const toy = (name: string, more: Partial<Layer> = {}): Layer => ({
  kind: 'toy',
  name,
  arity: 1,
  outputShape: ([shape]) => shape!,
  forward: ([x]) => x!,
  digestParts: () => [],
  ...more,
})

it('looks through homogeneous layers for one that is sensitive', () => {
  const layers = [
    toy('a'),
    toy('i', { homogeneous: true }),
    toy('s', { gapSensitive: true }),
    toy('j', { homogeneous: true }),
    toy('b'),
    toy('c'),
  ]
  const model = new Model({
    name: 'm',
    input: { name: 'x', shape: [1] },
    nodes: layers.map((layer, i) => ({ layer, inputs: [layers[i - 1]?.name ?? 'x'] })),
  })
  expect(['a', 'i', 's', 'j', 'b', 'c'].map((name) => gapsWanted(model, name))).toEqual([
    'zero',
    'zero',
    'any',
    'any',
    'any',
    'any',
  ])
})
