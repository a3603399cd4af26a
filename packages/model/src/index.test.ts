import { expect, it } from 'vitest'
import * as surface from './index.ts'

it('has the public surface that was agreed on', () => {
  expect(Object.keys(surface).sort()).toMatchInlineSnapshot(`
    [
      "Model",
      "WIDEST_RANGE",
      "createTensor",
      "foldFactors",
      "isCalibrated",
      "sameShape",
      "sizeOf",
    ]
  `)
})
