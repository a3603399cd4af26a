import { expect, it } from 'vitest'
import * as surface from './index.ts'

it('has the public surface that was agreed on', () => {
  expect(Object.keys(surface).sort()).toMatchInlineSnapshot(`
    [
      "ActivationLayer",
      "AddLayer",
      "BatchNormLayer",
      "ConcatLayer",
      "Conv2dLayer",
      "LinearLayer",
      "PairMaxLayer",
      "Pool2dLayer",
      "PreluLayer",
      "QuadraticLayer",
      "ReshapeLayer",
      "SelectLayer",
      "SquareLayer",
      "activation",
      "add",
      "affine",
      "averagePool2d",
      "batchNorm",
      "clip",
      "concat",
      "conv2d",
      "customActivation",
      "elu",
      "flatten",
      "foldBatchNorm",
      "globalAveragePool",
      "hardSigmoid",
      "identity",
      "leakyRelu",
      "linear",
      "maxPool2d",
      "prelu",
      "quadratic",
      "reshape",
      "select",
      "sumPool2d",
    ]
  `)
})
