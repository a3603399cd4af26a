/**
 * Models as data: tensors, the clear layer contract, graphs of layers with state over time, factor folding.
 *
 * @module index
 */
export * from './calibrated-layer.ts'
export { digestNumbers, digestText } from './digest-parts.ts'
export * from './equalize.ts'
export * from './fold-factors.ts'
export { bfloat16, float16, float16Bits } from './half-floats.ts'
export {
  type ChannelFactors,
  type FactorGroup,
  forwardAll,
  type GraphLayer,
  isMultiOutput,
  type Layer,
  type MultiOutputLayer,
  outputShapesOf,
} from './layer.ts'
export { Model, type ModelDescription, type NodeDescription, type NodeFunction } from './model.ts'
export { modelCheck } from './model-check.ts'
export {
  assertInputShape,
  framesOf,
  type InputForm,
  type InputTime,
  type ModelInput,
  onInputGrid,
} from './model-input.ts'
export type { ModelNode, NodeOrigin } from './model-node.ts'
export { type Readout, ReadoutLayer } from './readout.ts'
export {
  encodeSafetensors,
  type NamedTensor,
  parseSafetensors,
  type SafetensorsFile,
  type TensorToWrite,
} from './safetensors/safetensors.ts'
export * from './tensor.ts'
export type { StateEdge } from './time.ts'
export { originOf, unroll } from './unroll.ts'
