import { expect, it } from 'vitest'
import { residual, smallCnn } from '../pipeline.test-helper.ts'
import { liveValues } from './live-values.ts'

it('frees every value after its last reader, and keeps the result', () => {
  const { freed, peak } = liveValues(smallCnn())
  expect(freed).toEqual([['image'], ['conv'], ['act'], ['pool'], ['flat']])
  // conv and act: 2 x 6 x 6 each
  expect(peak).toBe(144)
})

it('keeps what a shortcut still needs, and frees what nobody reads at once', () => {
  const model = residual(1)
  const { freed, peak } = liveValues(model)
  expect(Object.fromEntries(freed.map((names, i) => [model.nodes[i]!.name, names]))).toEqual({
    stem: ['image'],
    relu: ['stem'],
    a0: [],
    r0: ['a0'],
    b0: ['r0'],
    sum0: ['relu', 'b0'],
    out0: ['sum0'],
    flat: ['out0'],
    fc: ['flat'],
  })
  // relu, a value of the block and the next: 2 x 8 x 8 each
  expect(peak).toBe(3 * 128)
})
