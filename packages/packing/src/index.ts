/**
 * Slot layouts for encrypted tensors and the layer contract.
 *
 * @packageDocumentation
 */
export * from './create-layout.ts'
export * from './element-errors.ts'
export * from './fold-factors.ts'
export * from './gaps-wanted.ts'
export * from './layer.ts'
export * from './layout-positions.ts'
export * from './model.ts'
export * from './pacer.ts'
export * from './pack.ts'
export * from './packed-tensor.ts'
export * from './parse-layout.ts'
export * from './slot-layout.ts'
export * from './tensor.ts'
