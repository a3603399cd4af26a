/**
 * Encrypted twins of clear layers: convolution, linear, pooling, normalisation, addition, activation.
 *
 * @module index
 */
export {
  type ActivationFunction,
  type CustomActivationOptions,
  clip,
  customActivation,
  elu,
  hardSigmoid,
  leakyRelu,
} from '@he-ml/activations'
export {
  ActivationLayer,
  type ActivationLayerFunction,
  type ActivationOptions,
  activation,
} from './layers/activation.ts'
export { AddLayer, add } from './layers/add.ts'
export {
  type AffineOptions,
  affine,
  BatchNormLayer,
  type BatchNormOptions,
  batchNorm,
  foldBatchNorm,
} from './layers/batch-norm.ts'
export { ConcatLayer, type ConcatOptions, concat } from './layers/concat.ts'
export { Conv2dLayer, type Conv2dOptions, conv2d } from './layers/conv2d.ts'
export { LinearLayer, type LinearOptions, linear } from './layers/linear.ts'
export { type MaxPool2dOptions, type MaxPoolNode, maxPool2d } from './layers/max-pool2d.ts'
export { PairMaxLayer, type PairMaxOptions } from './layers/pair-max.ts'
export { averagePool2d, globalAveragePool, Pool2dLayer, type Pool2dOptions, sumPool2d } from './layers/pool2d.ts'
export { PreluLayer, type PreluOptions, prelu } from './layers/prelu.ts'
export { QuadraticLayer, type QuadraticOptions, quadratic } from './layers/quadratic.ts'
export { flatten, identity, ReshapeLayer, reshape } from './layers/reshape.ts'
export { SelectLayer, type SelectOptions, select } from './layers/select.ts'
export { SquareLayer } from './layers/square.ts'
export type { Padding, Pair, Window } from './linear-map/linear-map.ts'
export type { WindowOptions } from './linear-map/window.ts'
