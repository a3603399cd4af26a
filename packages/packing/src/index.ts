/**
 * Slot layouts for encrypted tensors and the layer contract.
 *
 * @packageDocumentation
 */
export * from './layer.ts'
export * from './model.ts'
export * from './packed-tensor.ts'
export * from './slot-layout.ts'
export * from './tensor.ts'
