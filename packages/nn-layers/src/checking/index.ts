/**
 * For tests of layers: whether one keeps the contracts that compile, plans and engines rely on. Needs no test library.
 *
 * @module testing
 */
export { type CheckLayerOptions, checkLayer, type LayerCheck } from './check-layer.ts'
export { LayerCheckError } from './layer-check-error.ts'
export { randomTensor } from './random-tensor.ts'
