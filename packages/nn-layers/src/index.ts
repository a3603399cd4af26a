/**
 * Encrypted twins of clear layers: convolution, linear, pooling, normalisation, addition, activation.
 *
 * @packageDocumentation
 */
export {
  ActivationLayer,
  type ActivationLayerFunction,
  type ActivationOptions,
  activation,
} from './layers/activation.ts'
export { AddLayer, add } from './layers/add.ts'
export { BatchNormLayer, type BatchNormOptions, batchNorm, foldBatchNorm } from './layers/batch-norm.ts'
export { Conv2dLayer, type Conv2dOptions, conv2d } from './layers/conv2d.ts'
export { LinearLayer, type LinearOptions, linear } from './layers/linear.ts'
export { averagePool2d, globalAveragePool, Pool2dLayer, type Pool2dOptions, sumPool2d } from './layers/pool2d.ts'
export { QuadraticLayer, type QuadraticOptions, quadratic } from './layers/quadratic.ts'
export { flatten, identity, ReshapeLayer, reshape } from './layers/reshape.ts'
export { SelectLayer, type SelectOptions, select } from './layers/select.ts'
export { SquareLayer } from './layers/square.ts'
export type { Padding, Pair, Window } from './linear-map/linear-map.ts'
export type { WindowOptions } from './linear-map/window.ts'
