import { expect, it } from 'vitest'
import * as surface from './index.ts'

it('has the public surface that was agreed on', () => {
  expect(Object.keys(surface).sort()).toMatchInlineSnapshot(`
    [
      "ActivationLayer",
      "AddLayer",
      "BatchNormLayer",
      "Conv2dLayer",
      "LinearLayer",
      "Pool2dLayer",
      "QuadraticLayer",
      "ReshapeLayer",
      "SelectLayer",
      "SquareLayer",
      "activation",
      "add",
      "averagePool2d",
      "batchNorm",
      "conv2d",
      "flatten",
      "foldBatchNorm",
      "globalAveragePool",
      "identity",
      "linear",
      "quadratic",
      "reshape",
      "select",
      "sumPool2d",
    ]
  `)
})
