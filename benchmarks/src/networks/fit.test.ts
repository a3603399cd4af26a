import { createTensor, Model } from '@he-ml/model'
import { conv2d, flatten, linear } from '@he-ml/nn-layers'
import { expect, it } from 'vitest'
import { multiplyAddsOf } from './fit.ts'

it('counts the multiply-adds of one input by the definition', () => {
  const model = new Model({
    name: 'm',
    input: { name: 'x', shape: [4, 8, 8] },
    nodes: [
      { layer: conv2d({ name: 'conv', weights: createTensor([6, 2, 3, 3]), groups: 2, stride: 2 }), inputs: ['x'] },
      { layer: flatten({ name: 'flat' }), inputs: ['conv'] },
      { layer: linear({ name: 'fc', weights: createTensor([5, 54]) }), inputs: ['flat'] },
    ],
  })
  expect(multiplyAddsOf(model)).toBe(6 * 3 * 3 * (2 * 3 * 3) + 5 * 54)
})
