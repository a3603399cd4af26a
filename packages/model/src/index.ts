/**
 * Models as data: tensors, the clear layer contract, graphs of layers, factor folding.
 *
 * @packageDocumentation
 */
export * from './fold-factors.ts'
export * from './layer.ts'
export * from './model.ts'
export * from './tensor.ts'
