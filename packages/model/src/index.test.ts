import { expect, it } from 'vitest'
import * as surface from './index.ts'

it('has the public surface that was agreed on', () => {
  expect(Object.keys(surface).sort()).toMatchInlineSnapshot(`
    [
      "Model",
      "ReadoutLayer",
      "WIDEST_RANGE",
      "applyFactors",
      "assertInputShape",
      "bfloat16",
      "createTensor",
      "digestNumbers",
      "digestText",
      "encodeSafetensors",
      "equalizationOf",
      "equalized",
      "float16",
      "float16Bits",
      "foldFactors",
      "forwardAll",
      "forwardApproximate",
      "framesOf",
      "isCalibrated",
      "isMultiOutput",
      "modelCheck",
      "observedBy",
      "onInputGrid",
      "originOf",
      "outputShapesOf",
      "parseSafetensors",
      "sameShape",
      "sizeOf",
      "unroll",
    ]
  `)
})
