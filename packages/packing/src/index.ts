/**
 * Slot layouts for encrypted tensors and the lowered layer contract.
 *
 * @packageDocumentation
 */
export * from './create-layout.ts'
export * from './create-lowered.ts'
export * from './element-errors.ts'
export { encodeElementMasks } from './element-masks.ts'
export * from './free-offsets.ts'
export * from './gaps-of.ts'
export * from './gaps-wanted.ts'
export * from './layout-positions.ts'
export * from './lower-layer.ts'
export { joinRefreshes, lowerRefresh } from './lower-refresh.ts'
export { lowerStream, type StreamPart, type StreamStage } from './lower-stream.ts'
export * from './lowered-contract.ts'
export * from './merge-sub-batches.ts'
export * from './pack.ts'
export * from './packed-tensor.ts'
export * from './parse-layout.ts'
export type { RefreshCell } from './refresh-cell.ts'
export * from './slot-layout.ts'
